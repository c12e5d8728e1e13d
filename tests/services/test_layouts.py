"""How panes lie, what can be cut across, and which series share their space."""

from dataclasses import replace

import pytest
from phantoms import geometry_of, phantom_on
from services.stubs import series_of

from medview.domain.study import Catalogue, Patient, Study
from medview.services.layouts import (
    LAYOUTS,
    MPR,
    PANES,
    is_prior,
    layout_of,
    mpr_refusal,
    share_space,
)
from medview.services.session import Session
from medview.services.session_values import Shown


def shown(uid="1.1", frame="", slices=6, **fields):
    grid = replace(geometry_of("LPS", (slices, 8, 8), (3.0, 3.0, 3.0)), frame_of_reference=frame)
    return Shown(series_of(uid, geometry=grid, **fields), phantom_on(grid))


def test_a_grid_has_as_many_panes_as_rows_and_columns():
    assert LAYOUTS["2x3"].panes == PANES[:6]
    assert LAYOUTS["3x3"].panes == PANES
    assert {len(each.panes) for each in LAYOUTS.values() if each.is_mpr} == {3}


def test_a_layout_that_is_not_known_is_three_planes():
    session = Session()
    session.layout = "17x2"
    assert layout_of(session) is LAYOUTS[MPR]
    session.layout = "1x2"
    assert layout_of(session) is LAYOUTS["1x2"]


@pytest.mark.parametrize(
    ("slices", "said"),
    [(1, "A single image"), (3, "3 slices are too few"), (4, ""), (40, "")],
)
def test_what_has_too_few_slices_is_not_cut_across(slices, said):
    refusal = mpr_refusal(shown(slices=slices).volume)
    assert refusal.startswith(said)
    assert bool(refusal) == bool(said)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (shown("1.1"), shown("1.1"), True),
        (shown("1.1", "1.9"), shown("1.2", "1.9"), True),
        (shown("1.1", "1.9"), shown("1.2", "1.8"), False),
        (shown("1.1"), shown("1.2"), False),
    ],
)
def test_millimetres_mean_the_same_in_one_series_or_with_one_reference(one, other, same):
    assert share_space(one, other) is same


@pytest.mark.parametrize(
    ("dates", "prior"),
    [
        (("2026-01-01", "2024-01-01"), (False, True)),
        (("2026-01-01", "2026-01-01"), (False, False)),
        (("2026-01-01", ""), (False, False)),
        (("", ""), (False, False)),
    ],
)
def test_a_study_older_than_the_newest_one_shown_is_prior(dates, prior):
    held = [
        Shown(replace(each.series, study_uid=study), each.volume)
        for study, each in (("1", shown("1.1")), ("2", shown("2.1")))
    ]
    studies = tuple(
        Study(str(n), date, series=(each.series,))
        for n, (date, each) in enumerate(zip(dates, held, strict=True), 1)
    )
    session = Session()
    session.catalogue = Catalogue((Patient("p", studies=studies),))
    session.layout = "1x2"
    session.shown = {"main": held[0], "upper": held[1]}
    session.views = dict.fromkeys(("main", "upper"))
    assert tuple(is_prior(session, each) for each in held) == prior
