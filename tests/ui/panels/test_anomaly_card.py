"""The convergence strip and the dial for K."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QSpinBox, QWidget

from medview.domain.prediction import PassScore, SlicePass
from medview.ui.panels.convergence import convergence_words

PASSES = (PassScore(2, 1.70, 1.0e-3), PassScore(3, 1.80, 1.5e-3), PassScore(4, 1.85, 1.65e-3))


@pytest.fixture
def shown(head):
    """A result of four passes, with curves of slices 20 and 21."""
    head.add_result("score")
    about = head.session.volume_id
    (made,) = head.session.results
    single = tuple(SlicePass(n, k, float(k + n)) for n in (2, 3, 4) for k in (20, 21))
    told = made.parameters | {"samples": 4}
    made = replace(made, passes=PASSES, slice_passes=single, parameters=told)
    head.session.predictions = {about: (made,)}
    head.settle()
    return head


def test_the_strip_holds_the_figures_of_the_result(shown):
    strip = shown.find(QWidget, "convergence")
    assert strip.whole == [(2, 1.70), (3, 1.80), (4, 1.85)]
    assert strip.spread == [(2, 1.0e-3), (3, 1.5e-3), (4, 1.65e-3)]
    assert shown.find(QLabel, "samples_here").text() == "Passes (K): 4"
    assert shown.find(QLabel, "convergence_words").text() == (
        "From 3 to 4 passes the score moved by 0.050, its spread by 10 %."
    )


def test_the_strip_follows_the_slice(shown):
    strip = shown.find(QWidget, "convergence")
    assert strip.of_slice == [(2, 22.0), (3, 23.0), (4, 24.0)]
    shown.press("Down")
    assert strip.slice in (19, 21)
    assert bool(strip.of_slice) == (strip.slice == 21)
    picture = strip.grab().toImage()
    shown.press("Up")
    assert strip.grab().toImage() != picture


def test_a_run_again_takes_the_number_on_the_dial(shown):
    shown.find(QSpinBox, "again_samples").setValue(20)
    shown.find(QPushButton, "again_run").click()
    request = shown.jobs.running("predict:run")[-1].args[0]
    assert (request.model, request.samples) == ("anomaly", 20)


def test_one_point_is_no_convergence(shown):
    (made,) = shown.session.results
    assert convergence_words(replace(made, passes=PASSES[:1])) == ""


def test_a_result_without_passes_has_no_strip(head):
    head.add_result("score")
    assert head.window.findChild(QWidget, "convergence") is None
