"""The batch bench: equal to single runs, a damaged film is listed, a stop costs nothing twice."""

import json

import pytest
from PIL import Image

from medview.cli.benches import BENCHES, batch
from medview.cli.benches.batch import answer, film, measure, write_films
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine


def test_films_are_drawn_and_the_last_is_cut_off(tmp_path, monkeypatch):
    # Libraries for networks turn this on for the whole process.
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", False)
    path = write_films(tmp_path, 2)
    assert path.read_text().splitlines()[0] == "case,film"
    assert (film(0) != film(1)).any()
    with Image.open(tmp_path / "film-001.png") as whole:
        whole.load()
    with (
        Image.open(tmp_path / "film-002.png") as cut,
        pytest.raises(OSError, match="truncated"),
    ):
        cut.load()


def test_an_answer_is_compared_without_its_times(tmp_path):
    for name, seconds, value in (("a", 1, 0.5), ("b", 2, 0.5), ("c", 1, 0.6)):
        (tmp_path / name / "maps").mkdir(parents=True)
        (tmp_path / name / "maps" / "m.nii.gz").write_bytes(b"same")
        body = {"seconds": seconds, "scores": [value]}
        (tmp_path / name / "result.json").write_text(json.dumps(body))
    assert answer(tmp_path / "a") == answer(tmp_path / "b") != answer(tmp_path / "c")
    (tmp_path / "b" / "maps" / "m.nii.gz").write_bytes(b"other")
    assert answer(tmp_path / "a") != answer(tmp_path / "b")


@pytest.mark.slow
def test_a_batch_of_real_runs_meets_what_is_asked(monkeypatch):
    monkeypatch.setattr(batch, "QUICK_FILMS", 2)
    assert BENCHES["batch"].endswith("batch:measure")
    context = Context(Options(device="cpu", threads=1), ProgressLine(None, on_terminal=False))
    try:
        rows = measure(context, True)
    finally:
        context.close()
    asked = {row.what: row for row in rows}
    for what in (
        "studies whose result differs from that of run",
        "damaged studies not listed as failed",
        "finished studies run again after a stop",
    ):
        assert asked[what].met, asked[what].value
    assert asked["100,000 such studies, one process"].value > 0
