"""Windows of a presentation state, turned to the values of the volume: the grey stays the same."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.domain.presentation import Modality
from medview.domain.volume import ValueTable, Window
from medview.domain.windowing import share_of
from medview.io.dicom_form import Form
from medview.io.dicom_looks import in_values, look_of
from medview.io.dicom_rescale import Rescale

EIGHT_BITS = Form(
    rows=1,
    columns=1,
    frames=1,
    samples=1,
    planar=False,
    photometric="MONOCHROME2",
    allocated=8,
    stored=8,
    high=7,
    signed=False,
    floating=False,
)
STORED = np.arange(256, dtype=np.float64)
SLOPES = st.floats(0.25, 8) | st.floats(-8, -0.25)
OFFSETS = st.floats(-2000, 2000)
LINEAR, EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"


def by_the_state(voi, modality):
    """Grey of every stored value as the state asks for it."""
    if modality.table is None:
        return share_of(modality.slope * STORED + modality.intercept, voi)
    place = np.clip(STORED - modality.first, 0, len(modality.table) - 1).astype(int)
    return share_of(modality.table[place].astype(np.float64), voi)


def by_the_volume(voi, modality, rescale, form=EIGHT_BITS):
    """Grey of every stored value by way of the volume's values."""
    turned = in_values(voi, modality, rescale, form)
    return share_of(rescale.slope * STORED + rescale.intercept, turned)


@settings(max_examples=40)
@given(
    own=st.tuples(SLOPES, OFFSETS),
    states=st.tuples(st.floats(0.25, 8), OFFSETS),
    width=st.floats(20, 3000),
    level=st.floats(-3000, 3000),
    function=st.sampled_from((LINEAR, EXACT, SIGMOID)),
)
def test_a_window_gives_the_same_grey_to_the_same_stored_value(own, states, width, level, function):
    window, modality = Window(width, level, function), Modality(*states)
    found = by_the_volume(window, modality, Rescale(*own))
    assert found == pytest.approx(by_the_state(window, modality), abs=1e-5)


@settings(max_examples=40)
@given(own=st.tuples(SLOPES, OFFSETS), level=st.floats(0, 255), first=st.integers(-20, 20))
def test_a_modality_table_of_the_state_goes_before_its_window(own, level, first):
    table = np.linspace(0, 255, 200).round().astype(np.uint16)[::-1]
    modality, window = Modality(first=first, table=table), Window(90, level, EXACT)
    found = by_the_volume(window, modality, Rescale(*own))
    assert found == pytest.approx(by_the_state(window, modality), abs=1e-5)


@settings(max_examples=40)
@given(slope=st.floats(0.25, 8), offset=OFFSETS, first=st.integers(0, 100))
def test_a_table_of_grey_is_asked_at_the_same_stored_values(slope, offset, first):
    grey = np.linspace(0, 1, 100).astype(np.float32) ** 2
    voi, modality = ValueTable(float(first), grey), Modality()
    found = by_the_volume(voi, modality, Rescale(slope, offset))
    assert found == pytest.approx(by_the_state(voi, modality))


def test_where_both_mean_the_same_the_very_window_is_kept():
    window = Window(80, 40)
    assert in_values(window, Modality(2, -5), Rescale(2, -5), EIGHT_BITS) is window
    table = SimpleNamespace(first=3, values=np.arange(5))
    same = Modality(first=3, table=np.arange(5, dtype=np.uint16))
    assert in_values(window, same, Rescale(table=table), EIGHT_BITS) is window


@pytest.mark.parametrize(
    ("modality", "rescale", "form"),
    [
        (Modality(), Rescale(table=SimpleNamespace(first=0, values=np.arange(5))), EIGHT_BITS),
        (Modality(), Rescale(0, 5), EIGHT_BITS),
        # A falling line needs a table, and so many values make none.
        (Modality(), Rescale(-1, 0), replace(EIGHT_BITS, allocated=32, stored=32, floating=True)),
        (Modality(), Rescale(-1, 0), replace(EIGHT_BITS, allocated=32, stored=17)),
    ],
)
def test_where_values_do_not_tell_what_was_stored_there_is_no_window(modality, rescale, form):
    assert in_values(Window(80, 40), modality, rescale, form) is None


def test_each_slice_has_the_windows_that_are_about_it():
    brain, bone = Window(80, 40, EXACT), Window(2000, 300, EXACT)
    state = SimpleNamespace(
        images=frozenset({"1.1", "1.2"}),
        modality=Modality(1, 0),
        vois=((brain, frozenset()), (bone, frozenset({("1.2", -1)}))),
    )
    images = {
        k: ((uid, 0), Rescale(1, -1024), EIGHT_BITS)
        for k, uid in ((0, "1.1"), (1, "1.2"), (3, "1.9"))
    }
    look = look_of(state, 4, images)
    assert look.images == (("1.1", 0), ("1.2", 0), None, None)
    assert [[voi.level for voi in vois] for vois in look.vois] == [
        [40 - 1024],
        [40 - 1024, 300 - 1024],
        [],
        [],
    ]
