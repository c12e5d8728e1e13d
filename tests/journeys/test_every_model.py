"""Each shipped model once for real, in the real window: what the panel says is what is stored."""

import json
import os
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QRadioButton

from medview.cli.benches.studies import STUDIES
from medview.services.telling import family, main_score, score_text

LONG_MS = 900_000

pytestmark = pytest.mark.slow


# Maps that a result must bring, by what the model was run on.
MAPS = {
    ("anomaly", "a head"): ("score", "residual", "epistemic", "aleatoric", "total", "seen"),
    ("brain-age", "a head"): ("regions", "seen"),
    ("cxr", "a film"): ("evidence", "seen", "lungs"),
    ("cxr-armed", "a film"): ("evidence", "seen", "lungs"),
    ("icu@1.0-hannover", "laboratory and film"): ("seen",),
}


@pytest.mark.parametrize("study", STUDIES, ids=lambda s: f"{s.model}, {s.what}")
def test_a_model_runs_in_the_window_and_says_one_thing_everywhere(study, program, qtbot, tmp_path):
    window, session = program.app.window, program.app.session
    window.open_paths(study.files(tmp_path))
    qtbot.waitUntil(lambda: session.volume_id is not None, timeout=LONG_MS)
    qtbot.waitUntil(lambda: not session.tasks, timeout=LONG_MS)
    window.findChild(QRadioButton, f"model_{study.model}").click()
    assert window.findChild(QLabel, "analysis_estimate").text().startswith("About ")
    session.message = None  # that of the table, perhaps
    window.findChild(QPushButton, "analysis_run").click()
    qtbot.waitUntil(lambda: bool(session.results or session.message), timeout=LONG_MS)
    assert session.results, session.message
    qtbot.waitUntil(lambda: not session.tasks, timeout=LONG_MS)
    (made,) = session.results
    names = {found.name for found in session.maps}
    assert set(MAPS.get((study.model, study.what), ())) <= names
    assert made.preparation
    # One value: panel, pane and file.
    score = main_score(made)
    said = window.findChild(QLabel, "result_value").text()
    first = made.score("age") if family(made.model) == "brain-age" else score
    assert said == score_text(first)
    (stored,) = (tmp_path / "results" / "data").glob("*/result.json")
    body = json.loads(stored.read_text())
    assert body["model"] == study.model.partition("@")[0]
    by_name = {each["name"]: each["value"] for each in body["scores"]}
    assert by_name[first.name] == first.value
    window.grid.redraw()
    frame = window.grid.frame_of("main")
    if frame is not None:
        assert score_text(score) in " ".join(frame.corners.top_right)
    keep_pictures(window, study)


def keep_pictures(window, study):
    """Where MEDVIEW_SHOTS names a folder: the window with the result, to be looked at."""
    folder = os.environ.get("MEDVIEW_SHOTS")
    if folder:
        name = f"{study.model}-{study.files.__name__}.png".replace("@", "_")
        window.grab().save(str(Path(folder) / name))
