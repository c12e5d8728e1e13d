from dataclasses import replace
from pathlib import Path

import pytest
from services.stubs import CARD, StubJobs

from medview.domain.errors import WeightsError
from medview.domain.progress import Silent
from medview.io.cards import write_card
from medview.io.hashing import file_sha256
from medview.services.model_library import ModelLibrary, add
from medview.services.session import Session


@pytest.fixture
def desk(tmp_path):
    """A library with one shipped model, its jobs and its session."""
    session, jobs = Session(), StubJobs()
    write_card(CARD, tmp_path / "shipped" / "anomaly" / "card.json")
    library = ModelLibrary(jobs, session, shipped=tmp_path / "shipped", own=tmp_path / "own")
    return library, jobs, session


def weights(folder: Path, version="mine", *, right=True) -> Path:
    folder.mkdir()
    path = folder / "weights.safetensors"
    path.write_bytes(b"numbers")
    sha256 = file_sha256(path) if right else "0" * 64
    write_card(replace(CARD, version=version, weights_sha256=sha256), folder / "card.json")
    return path


def names(library):
    return [version.name for version in library.versions()]


def do(job):
    """What the child for files does."""
    job.finish(add(Silent(), *job.args))


def test_own_weights_stay_once_the_network_has_taken_them(desk, tmp_path):
    library, jobs, session = desk
    told = []
    library.changed.connect(lambda: told.append(1))
    library.add(weights(tmp_path / "new"))
    do(jobs.last)
    model, path = jobs.last.args
    assert (jobs.last.lane, model) == ("compute", "anomaly")
    assert Path(path).is_relative_to(tmp_path / "own")
    jobs.last.finish({"ok": True})
    assert names(library) == ["anomaly@1.0", "anomaly@mine"]
    assert told
    assert "the weights are those of the card" in session.message.text


def test_weights_that_do_not_fit_the_network_do_not_stay(desk, tmp_path):
    library, jobs, session = desk
    library.add(weights(tmp_path / "new"))
    do(jobs.last)
    jobs.last.fail(WeightsError("has another shape", file="weights.safetensors"))
    assert names(library) == ["anomaly@1.0"]
    assert "another shape" in session.message.text


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ts", ".ckpt", ".bin", ".pkl", ".PT"])
def test_formats_that_hold_programs_are_refused_unopened(desk, tmp_path, suffix):
    library, jobs, session = desk
    path = tmp_path / f"model{suffix}"
    assert library.add(path) is None
    assert jobs.asked == []
    assert "can contain program code and is never opened" in session.message.text
    with pytest.raises(WeightsError, match="program code"):
        add(Silent(), path, tmp_path / "own")


def test_a_card_of_other_weights_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="SHA-256 differs"):
        add(Silent(), weights(tmp_path / "new", right=False), tmp_path / "own")


def test_weights_without_a_card_are_refused(tmp_path):
    path = weights(tmp_path / "new")
    path.with_name("card.json").unlink()
    with pytest.raises(WeightsError):
        add(Silent(), path, tmp_path / "own")


def test_own_versions_can_be_removed_and_shipped_ones_stay(desk, tmp_path):
    library, _, session = desk
    add(Silent(), weights(tmp_path / "new"), tmp_path / "own")
    shipped, own = library.versions()
    library.remove(shipped)
    assert "came with the program" in session.message.text
    library.remove(own)
    assert names(library) == ["anomaly@1.0"]
