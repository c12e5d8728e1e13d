"""Marked lesions of other sets: which are read, what is found of them, what is not judged."""

from dataclasses import replace

import numpy as np
import pytest
from brains import head, normal_case, write_nifti

from medview.domain.progress import Silent
from medview.learning import anomaly_marked
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_marked import TASK, load_marked, scored_marked
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.cases import prepare_case
from medview.learning.scoring import JUDGED, Said
from medview.learning.subset import Subset, TrainCase

SETTINGS = AnomalySettings(samples=2, smooth_px=0.0, floor=0.2)


def marked_case(folder, name="ill"):
    """A head with a bright cube of a lesion, marked."""
    picture, truth = head(), np.zeros(head().shape, np.uint8)
    truth[17:23, 21:27, 17:23] = 1
    return TrainCase(
        name,
        name,
        {"t1": write_nifti(folder / f"{name}.nii.gz", np.where(truth, 255, picture))},
        "t1",
        "tumours",
        mask=write_nifti(folder / f"{name}-seg.nii.gz", truth),
        brain=write_nifti(folder / f"{name}-brain.nii.gz", (picture > 100).astype(np.uint8)),
        brain_rule="labels",
        label=1,
    )


@pytest.fixture(scope="module")
def ill(tmp_path_factory):
    return prepare_case(marked_case(tmp_path_factory.mktemp("ill")))


@pytest.fixture(scope="module")
def well(tmp_path_factory):
    return normal_case(tmp_path_factory.mktemp("well"), 0)


@pytest.fixture
def expects(monkeypatch, well):
    """Let the network expect the same head without its lesion, or nothing at all."""

    def set_up(share=1.0):
        def said(engine, slices, samples, seed):
            picture = share * well.prepared.slices[slices.index]
            return Said(np.stack([picture] * samples), np.ones_like(picture))

        monkeypatch.setattr(anomaly_marked, "ask_model", said)

    return set_up


def asked(*cases):
    return scored_marked(Silent(), Engine(None), cases, SETTINGS, 0)


def test_a_lesion_is_found_where_the_network_expects_the_head_without_it(ill, expects):
    expects()
    by_slice, by_pixel = asked(ill)
    assert (by_slice.task, by_slice.names, by_slice.subset) == (TASK, (JUDGED,), "tumours")
    assert set(by_slice.score) == {1.0}
    assert len(by_slice.cases) == len(set(by_slice.cases)) == len(ill.prepared.scored)
    assert (by_pixel.names, by_pixel.level) == (("pixel_precision",), "pixel")
    assert (by_pixel.cases, by_pixel.patients) == (("ill",), ("ill",))
    assert by_pixel.score[0] > 0.8


def test_what_is_not_recognised_counts_as_an_empty_map(ill, expects):
    expects(share=0.0)
    by_slice, by_pixel = asked(ill)
    assert set(by_slice.score) == {0.0}
    assert by_pixel.score[0] < 0.1


def test_cases_of_one_set_are_joined_and_a_normal_one_has_no_pixels(ill, well, expects):
    expects()
    other = replace(ill, case=replace(ill.case, case="second", patient="second"))
    first, by_pixel, normal = asked(ill, other, well)
    assert len(first.cases) == 2 * len(ill.prepared.scored)
    assert by_pixel.patients == ("ill", "second")
    assert (normal.subset, normal.names) == ("ixi-t1", (JUDGED,))


def test_only_marked_cases_are_read_and_unreadable_ones_left_out(tmp_path):
    case = marked_case(tmp_path)
    unmarked = replace(case, case="unmarked", mask=None)
    broken = replace(case, case="broken", images={"t1": tmp_path / "none.nii.gz"})
    subset = Subset("tumours", "cases", tmp_path, (unmarked, broken, case))
    (found,) = load_marked(Silent(), [subset])
    assert found.case.case == "ill"
    assert found.truth.any()
