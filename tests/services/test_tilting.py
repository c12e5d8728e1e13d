"""Planes turned about the crosshair, and which panes take part."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from services.stubs import series_of

from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.imaging.oblique import STRAIGHT, matrix_of, turned
from medview.imaging.view import View
from medview.services import tilting
from medview.services.first_views import first_views
from medview.services.layouts import MPR
from medview.services.measuring import Measuring
from medview.services.session import Session
from medview.services.session_values import Shown, VolumeId
from medview.services.settings import Preferences
from medview.services.viewing import Viewing

GRID = geometry_of("LPS", (50, 60, 56), (2.0, 2.0, 2.0))
TURN = turned(STRAIGHT, (1.0, 0.0, 0.0), 20.0)


@pytest.fixture
def session():
    """Three planes of a head of 2 mm voxels."""
    made = Session()
    made.volume, made.series = phantom_on(GRID, modality="MR"), series_of("1.1", geometry=GRID)
    made.volume_id = VolumeId(made.series.key, "sha")
    made.layout, made.views = MPR, first_views(made.volume)
    return made


def test_all_panes_turn_as_one_and_back_to_straight(session):
    tilting.tilt(session, "main", 20.0)
    tilts = {view.tilt for view in session.views.values()}
    assert len(tilts) == 1
    # The main pane is axial: seen from the feet, clockwise goes from the left to the back.
    left_lps = matrix_of(tilts.pop()) @ (1.0, 0.0, 0.0)
    assert np.degrees(np.arctan2(left_lps[1], left_lps[0])) == pytest.approx(20.0)
    assert tilting.is_tilted(session)
    tilting.tilt(session, "main", -20.0)
    assert not tilting.is_tilted(session)
    tilting.tilt(session, "upper", 5.0)
    tilting.straighten(session)
    assert {view.tilt for view in session.views.values()} == {STRAIGHT}


def test_nothing_is_turned_where_the_other_planes_are_not_seen(session):
    session.layout = "1x2"
    tilting.tilt(session, "main", 20.0)
    assert not tilting.is_tilted(session)
    assert "choose Three planes" in tilting.refusal(session)
    session.volume = None
    assert tilting.refusal(session) == "No series is open."


def test_the_way_back_to_a_turned_key_image_turns_no_other_series(session, tmp_path):
    own = Shown(session.series, session.volume, 0, session.volume_id)
    other = replace(own, series=series_of("2.1", geometry=GRID), id=VolumeId("2.1#0", "sha 2"))
    session.layout, session.shown = "1x2", {"main": own, "upper": other}
    session.views = dict.fromkeys(("main", "upper"), View(Plane.CORONAL))
    session.active_pane = "main"
    viewing = Viewing(session, Preferences(tmp_path / "settings.json"))
    Measuring(session, viewing).jump_to_key(KeyImage(Plane.CORONAL, 3, 0, (0.0, 1.0, 2.0), TURN))
    assert session.views["main"].tilt == TURN
    assert session.views["upper"].tilt == STRAIGHT
