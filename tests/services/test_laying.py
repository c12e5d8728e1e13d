"""An object of another program over the image on screen: listed, drawn, and told in words."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from phantoms import prediction_with
from services.stubs import StubJobs, catalogue_of, series_of

from medview.domain.geometry import Geometry
from medview.domain.overlay import Laid, ScalarMap
from medview.domain.study import Catalogue, Patient, Study
from medview.domain.volume import Volume
from medview.services.laying import LAY, Laying
from medview.services.session import Session
from medview.services.session_values import VolumeId

GRID = Geometry((4, 5, 6), np.eye(4)[[2, 1, 0, 3]])
ABOUT = VolumeId("1.1#0", "sha")


def mask(name="object-1", title="Lesion"):
    return ScalarMap(name, np.ones(GRID.shape, np.uint8), GRID, kind="mask", title=title)


@pytest.fixture
def desk():
    session, jobs = Session(), StubJobs()
    shown, other = (
        series_of("1.1", geometry=GRID),
        series_of("1.2", lies_over=True, files=(Path("s.dcm"),)),
    )
    session.catalogue = catalogue_of(shown, other)
    session.series = session.catalogue.all_series()[0]
    session.volume, session.volume_id = Volume(np.zeros(GRID.shape, np.int16), GRID), ABOUT
    return session, jobs, Laying(jobs, session), session.catalogue.all_series()[1]


def test_its_maps_are_drawn_over_the_image_and_nothing_else_is_taken_for_a_result(desk):
    session, jobs, laying, other = desk
    laying.lay(other)
    assert (jobs.last.work, jobs.last.args[1]) == (LAY, GRID)
    jobs.last.finish(Laid((mask(), mask("object-2", "Oedema")), "On another grid."))
    assert [each.title for each in session.maps] == ["Lesion", "Oedema"]
    assert {layer.map.name for layer in session.layers if layer.style.visible} == {
        "Lesion",
        "Oedema",
    }
    colours = {session.style(name).colour_map for name in ("Lesion", "Oedema")}
    assert len(colours) == 2
    assert session.results == ()
    assert session.message.text == "Lesion, Oedema: laid over the image. On another grid."


def test_the_same_object_again_takes_its_own_place(desk):
    session, jobs, laying, other = desk
    for _ in range(2):
        laying.lay(other)
        jobs.last.finish(Laid((mask(),)))
    assert len(session.maps) == 1
    laying.lay(other)
    jobs.last.finish(Laid((mask("another-1"),)))
    assert [each.name for each in session.maps] == ["Lesion", "Lesion 2"]
    session.volume_id = VolumeId("1.1#0", "other pixels")
    assert session.maps == ()


def test_a_map_of_another_image_with_the_same_title_is_drawn_in_its_own_range(desk):
    session, jobs, laying, other = desk
    values = np.ones(GRID.shape, np.float32)
    for pixels, top in (("sha", 3000.0), ("other pixels", 3.0)):
        session.volume_id = VolumeId("1.1#0", pixels)
        laying.lay(other)
        found = ScalarMap("object-1", values, GRID, kind="evidence", range=(0, top), title="ADC")
        jobs.last.finish(Laid((found,)))
        assert session.style("ADC").range == (0, top)
    session.styles = {"ADC": replace(session.style("ADC"), opacity=0.1)}
    laying.lay(other)
    jobs.last.finish(Laid((found,)))
    assert session.style("ADC").opacity == 0.1


def test_a_map_of_a_model_stays_beside_one_of_the_same_title(desk):
    session, jobs, laying, other = desk
    laying.lay(other)
    jobs.last.finish(Laid((mask(title="brain"),)))
    own = ScalarMap("brain", np.zeros(GRID.shape, np.uint8), GRID, kind="mask", title="brain")
    session.predictions = {ABOUT: (prediction_with(own),)}
    assert session.map("brain") is own
    assert len(session.maps) == 2


def test_the_first_reader_is_not_shown_what_others_marked(desk):
    session, jobs, laying, other = desk
    laying.lay(other)
    jobs.last.finish(Laid((mask(),)))
    session.first_reader = True
    assert session.maps == ()


@pytest.mark.parametrize("title", ["tumour P-4711", "tumour of Mustermann"])
def test_a_label_that_says_who_it_is_is_not_shown(desk, title):
    session, jobs, laying, other = desk
    patient = Patient("p", "P-4711", "Mustermann^Max", studies=(Study("1", series=(other,)),))
    session.catalogue = Catalogue((patient,))
    laying.lay(other)
    jobs.last.finish(Laid((mask(title=title),)))
    assert [each.title for each in session.maps] == [f"{other.modality} 1"]


def test_only_such_objects_and_not_over_themselves(desk):
    session, jobs, laying, other = desk
    assert not laying.can_lay(session.series)
    assert laying.lay(replace(other, lies_over=False)) is None
    session.series = other
    assert laying.lay(other) is None
    session.series, session.volume_id = None, None
    assert not laying.can_lay(other)
    assert jobs.asked == []


def test_of_what_is_open_the_newest_maps_stay_up_to_so_many_bytes(desk, monkeypatch):
    session, _, _, other = desk
    here, size = session.series, mask().array.nbytes
    monkeypatch.setattr("medview.services.laying._MOST_BYTES", 2 * size)
    closed, older = VolumeId("9.9#0", "sha"), VolumeId(other.key, "sha")
    newer = VolumeId(here.key, "another time")
    session.laid = {each: (mask(),) for each in (older, closed, ABOUT, newer)}
    session.volume_id = None
    session.volume_id = ABOUT
    assert list(session.laid) == [ABOUT, newer]
