"""The site of a chest film: its effect in the figure, without it, and another site to choose."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QComboBox, QLabel
from services.stubs import CARD, result_about
from ui.fakes import make_bench

from medview.domain.card import InputSpec
from medview.domain.geometry import Geometry
from medview.domain.prediction import Score
from medview.domain.volume import Volume
from medview.ui.panels.forest import ForestPlot

EFFECT = {"site": "north", "rows": 9, "effect_log_odds": 0.7, "low": 0.4, "high": 0.9}
SITES = replace(
    CARD,
    id="cxr-armed",
    inputs=(InputSpec("film", "a frontal chest film", modalities=("CR", "DX")),),
    settings={"sites": ["north", "south"], "site_effects": [EFFECT]},
    limits=("The effects of sources gain nothing.", "It detects who already is in intensive care."),
)
GRID = Geometry.from_ijk_affine((1, 40, 48), np.diag([0.8, 0.8, 1, 1]).tolist())
GONE = Score("severe_mixed", None, status="not_available", meaning="no site was given")


@pytest.fixture
def bench(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("medview.ui.closing.ask", lambda *_: True)
    made = make_bench(tmp_path, CARD, SITES)
    qtbot.addWidget(made.window)
    made.window.show()
    film = Volume(np.zeros((1, 40, 48), np.int16), GRID, modality="DX")
    made.show(film, uid="1.3", modality="DX")
    return made


def shown(bench, mixed, **parameters):
    """The words of the card of a film."""
    about = bench.session.volume_id
    made = result_about(about, bench.session.volume, model="cxr-armed", names=())
    best = mixed.value if mixed.value is not None else 0.4
    scores = (Score("severe", best), Score("severe_fixed", 0.4), mixed)
    made = replace(made, scores=scores, parameters=parameters)
    bench.session.predictions = {about: (made,)}
    bench.settle()
    card = bench.find(QLabel, "result_value").parentWidget().parentWidget()
    return " | ".join(each.text() for each in card.findChildren(QLabel) if not each.isHidden())


def test_a_known_site_is_told_with_and_without_its_effect(bench):
    words = shown(bench, Score("severe_mixed", 0.6), site="north")
    assert "site known" in words
    assert bench.find(QLabel, "result_value").text() == "0.60"
    assert bench.find(QLabel, "row_severe_fixed").text() == "0.40"
    assert bench.find(QLabel, "row_severe_mixed").text() == "0.60"
    assert bench.find(QComboBox, "site").currentText() == "north"
    (forest,) = bench.window.findChildren(ForestPlot)
    assert (forest.here, forest.unit) == ("north", "")
    # Of all limits the reader of a film is told what the score detects.
    assert "It detects who already is in intensive care." in words


@pytest.mark.parametrize("given", [{}, {"site": "elsewhere"}])
def test_of_any_other_site_the_fixed_effects_are_told_and_a_known_one_can_be_chosen(bench, given):
    words = shown(bench, GONE, **given)
    assert "unseen site: fixed effects only" in words
    assert "With site" not in words
    box = bench.find(QComboBox, "site")
    assert [box.itemText(n) for n in range(box.count())] == ["unknown", "north", "south"]
    assert box.currentText() == "unknown"
    box.textActivated.emit("south")
    assert bench.jobs.running("predict:run")[0].args[0].site == "south"
