"""Data sets are found by how they lie on disk and read case by case."""

from pathlib import Path

import numpy as np
import pytest
from brains import head, write_ixi, write_nifti

from medview.domain.errors import DataError, UsageError
from medview.learning.cases import find_subsets, prepare_case, refuse_leaks
from medview.learning.subset import TrainCase

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def test_ixi_volumes_are_found_below_any_folder(tmp_path):
    write_ixi(tmp_path / "deep" / "er", "IXI012-HH-1211", "IXI013-Guys-1212")
    (subset,) = find_subsets((str(tmp_path),), "anomaly")
    assert (subset.name, subset.licence, subset.is_normal) == ("ixi-t1", "CC BY-SA 3.0", True)
    first, second = subset.cases
    assert (first.case, first.patient, first.site) == ("IXI012-HH-1211", "IXI012", "HH")
    assert (first.age_years, first.sex, second.site) == (38.5, "M", "Guys")
    assert first.subset == "ixi-t1"


def test_the_brain_of_a_labelled_case_is_where_the_labels_are(tmp_path):
    write_ixi(tmp_path, "IXI012-HH-1211")
    (subset,) = find_subsets((str(tmp_path),), "anomaly")
    found = prepare_case(subset.cases[0])
    expected = (head() > 100).sum()
    assert found.prepared.mask.sum() == pytest.approx(expected, rel=0.05)
    assert found.truth is not None
    assert not found.truth.any()


def test_a_folder_of_unknown_images_is_one_normal_case_each(tmp_path):
    for name in ("a.nii.gz", "b.nii"):
        write_nifti(tmp_path / "mine" / name, head())
    (subset,) = find_subsets((f"folder={tmp_path / 'mine'}",), "anomaly")
    assert [case.case for case in subset.cases] == ["a", "b"]
    assert subset.is_normal
    assert subset.name == "mine"


def test_an_unknown_layout_is_wrong_use_and_names_the_known_ones():
    with pytest.raises(UsageError, match="ixi-t1"):
        find_subsets(("adni=/nowhere",), "anomaly")


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match="no data set that anomaly can use"):
        find_subsets((str(tmp_path),), "anomaly")


def test_two_sets_of_one_kind_keep_apart_by_name(tmp_path):
    write_ixi(tmp_path / "a", "IXI012-HH-1211")
    write_ixi(tmp_path / "b", "IXI013-HH-1212")
    subsets = find_subsets((str(tmp_path / "a"), str(tmp_path / "b")), "anomaly")
    assert [subset.name for subset in subsets] == ["ixi-t1", "ixi-t1-2"]
    assert subsets[1].cases[0].subset == "ixi-t1-2"


def test_a_patient_in_training_and_test_is_refused_by_name():
    def case(name, patient, split):
        return TrainCase(name, patient, {"t1": Path("x.nii")}, "t1", split=split)

    refuse_leaks([case("a", "p1", "val"), case("b", "p1", "test"), case("c", "p2", "train")])
    with pytest.raises(DataError, match="p7"):
        refuse_leaks([case("a", "p7", "train"), case("b", "p7", "test")])


@pytest.mark.skipif(not DATA.exists(), reason="the shared data are not here")
def test_the_shared_folder_stands_for_all_its_sets():
    found = {subset.name: subset for subset in find_subsets((str(DATA),), "anomaly")}
    assert {name: (len(one.cases), one.n_patients) for name, one in found.items()} == {
        "ixi-t1": (7, 7),
        "elderly-t1": (7, 7),
        "mni152": (1, 1),
        "brats2013-slices": (6, 6),
        "tumour-volumes": (3, 3),
        "cheng-t1ce": (450, 109),
    }
    assert [name for name, one in found.items() if one.is_normal] == [
        "ixi-t1",
        "elderly-t1",
        "mni152",
    ]


def test_a_template_is_for_training_only(tmp_path):
    name = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    write_nifti(tmp_path / name, np.where(head() > 100, head(), 0).astype(np.uint8))
    (subset,) = find_subsets((str(tmp_path),), "anomaly")
    assert subset.training_only
    assert prepare_case(subset.cases[0]).prepared.mask.sum() == (head() > 100).sum()


def test_elderly_brains_have_patients_of_their_own_set(tmp_path):
    write_nifti(tmp_path / "Subj1_T1.nii.gz", head())
    write_nifti(tmp_path / "Subj1_T1_DLMUSE.nii.gz", (head() > 100).astype(np.uint8))
    (tmp_path / "participants.csv").write_text("MRID,Age,Sex\nSubj1,82.3,M\n")
    (subset,) = find_subsets((f"elderly-t1={tmp_path}",), "anomaly")
    (case,) = subset.cases
    assert (case.patient, case.age_years, case.brain_rule) == ("elderly-t1:Subj1", 82.3, "labels")


def test_a_layout_that_is_not_there_is_said(tmp_path):
    write_ixi(tmp_path, "IXI012-HH-1211")
    with pytest.raises(DataError, match="no brats2020 set was found"):
        find_subsets((f"brats2020={tmp_path}",), "anomaly")


def test_a_path_that_does_not_exist_is_said(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        find_subsets((str(tmp_path / "gone"),), "anomaly")
