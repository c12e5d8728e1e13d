"""Maps of numbers: every value at its place in the patient, and nothing rounded."""

from dataclasses import replace

import highdicom as hd
import numpy as np
import pytest

from medview.io.dicom_out.parametric_map import parametric_map


def back(made, folder):
    made.save_as(folder / "map.dcm", enforce_file_format=True)
    return hd.imread(folder / "map.dcm")


@pytest.mark.parametrize("name", ["score", "epistemic"])
def test_a_map_comes_back_with_every_value_at_its_place(origin, tmp_path, name):
    wanted = origin.prediction.map(name)
    volume = back(parametric_map(origin, wanted, 10), tmp_path).get_volume()
    for index in ((0, 0, 0), (11, 16, 14), (20, 5, 22)):
        there = volume.map_reference_to_indices(np.array([wanted.geometry.to_mm(index)]))[0]
        k, j, i = np.rint(there).astype(int)
        assert np.abs(there - np.rint(there)).max() < 1e-3
        assert volume.array[k, j, i] == pytest.approx(float(wanted.array[index]), rel=1e-6)


def test_where_there_is_no_value_there_is_none_afterwards(origin, tmp_path):
    given = origin.prediction.map("score")
    array = given.array.copy()
    array[3:6] = np.nan
    made = parametric_map(origin, replace(given, array=array), 10)
    stored = back(made, tmp_path).pixel_array
    assert np.isnan(stored).sum() == np.isnan(array).sum() == 3 * array[0].size
    mapping = made.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert mapping.DoubleFloatRealWorldValueLastValueMapped == pytest.approx(np.nanmax(array))


def test_it_says_what_it_is_a_map_of_and_how_to_show_it(origin):
    item = replace(origin.prediction.map("score"), range=(0.0, 18.0))
    made = parametric_map(origin, item, 12)
    assert made.SeriesNumber == origin.first_series_number + 12
    assert made.SeriesDescription == "RESEARCH USE ONLY anomaly score"
    assert made.ContentLabel == "SCORE"
    window = made.SharedFunctionalGroupsSequence[0].FrameVOILUTSequence[0]
    assert (window.WindowCenter, window.WindowWidth) == (9, 18)
    assert window.VOILUTFunction == "LINEAR_EXACT"


def test_a_map_of_one_value_alone_still_has_a_window(origin):
    item = replace(origin.prediction.map("score"), range=(2.0, 2.0))
    made = parametric_map(origin, item, 10)
    window = made.SharedFunctionalGroupsSequence[0].FrameVOILUTSequence[0]
    assert window.WindowWidth > 0
