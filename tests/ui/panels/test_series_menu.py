"""What a series in the list offers: here an object of another program over the image on screen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel, QWidget
from services.stubs import catalogue_of, series_of
from ui.fakes import make_bench

from medview.domain.overlay import Laid, ScalarMap
from medview.services.laying import LAY
from medview.ui.panels.series_menu import series_menu


@pytest.fixture
def bench(qtbot, tmp_path):
    made = make_bench(tmp_path)
    qtbot.addWidget(made.window)
    made.show()
    own = made.session.series
    other = replace(series_of("1.9"), modality="SEG", lies_over=True, files=(Path("s.dcm"),))
    made.session.catalogue = catalogue_of(own, other)
    return made


def test_an_object_is_laid_over_the_image_and_listed_with_the_maps(bench):
    parent = QWidget()
    other = bench.session.catalogue.all_series()[-1]
    menu = series_menu(bench.app, other, parent)
    [over] = [action for action in menu.actions() if action.objectName() == "series_menu_lay"]
    over.trigger()
    grid = bench.session.volume.geometry
    array = np.zeros(grid.shape, np.uint8)
    array[tuple(slice(n // 3, 2 * n // 3) for n in grid.shape)] = 1
    assert bench.frame().tints == ()
    [job] = bench.jobs.running("laying_work:lay")
    assert job.work == LAY
    job.finish(Laid((ScalarMap("object-1", array, grid, kind="mask", title="Lesion"),), "Moved."))
    [tint] = bench.frame().tints
    assert 0.05 < (tint[..., 3] > 0).mean() < 0.2  # a third of each side
    texts = [each.text() for each in bench.window.findChildren(QLabel)]
    assert any("Lesion" in text for text in texts)
    assert bench.session.message.text == "Lesion: laid over the image. Moved."


def test_the_image_itself_offers_nothing_of_the_kind(bench):
    assert series_menu(bench.app, bench.session.series, QWidget()) is None
