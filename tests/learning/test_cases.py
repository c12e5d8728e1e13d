"""Data sets are found by how they lie on disk and read case by case."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from brains import head, write_ixi, write_nifti
from phantoms import geometry_of
from throwaway import save_nifti

from medview.domain.errors import DataError, UsageError
from medview.domain.volume import Volume
from medview.learning import cases
from medview.learning.cases import find_subsets, prepare_case, refuse_leaks
from medview.learning.real_rows import result_of
from medview.learning.scoring import Scored, slices_of
from medview.learning.subset import Subset, TrainCase

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def test_an_unknown_layout_is_wrong_use_and_names_the_known_ones():
    with pytest.raises(UsageError, match="ixi-t1"):
        find_subsets(("adni=/nowhere",), "anomaly")


def test_an_unknown_model_is_wrong_use():
    with pytest.raises(UsageError, match="there is no model called nomodel"):
        find_subsets(("/nowhere",), "nomodel")


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match="no data set that anomaly can use"):
        find_subsets((str(tmp_path),), "anomaly")


def test_two_sets_of_one_kind_keep_apart_by_name(tmp_path):
    write_ixi(tmp_path / "a", "IXI012-HH-1211")
    write_ixi(tmp_path / "b", "IXI013-HH-1212")
    subsets = find_subsets((str(tmp_path / "a"), str(tmp_path / "b")), "anomaly")
    assert [subset.name for subset in subsets] == ["ixi-t1", "ixi-t1-2"]
    assert subsets[1].cases[0].subset == "ixi-t1-2"


@pytest.mark.parametrize(
    ("shift_mm", "fits"), [(0.0, True), (0.9, True), (-0.9, True), (1.1, False)]
)
def test_a_mask_is_laid_on_an_image_that_it_misses_by_half_a_voxel_at_most(
    shift_mm, fits, tmp_path
):
    geometry = geometry_of("LPS", (4, 5, 6), (3.0, 2.0, 4.0))
    moved = geometry.affine.copy()
    moved[1, 3] += shift_mm
    marked = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    path = save_nifti(Volume(marked, replace(geometry, affine=moved)), tmp_path / "m.nii.gz")
    image = Volume(np.zeros((4, 5, 6)), geometry)
    if fits:
        assert np.array_equal(cases.values_on(path, image), marked)
    else:
        with pytest.raises(DataError, match=r"m\.nii\.gz: the mask lies on another grid"):
            cases.values_on(path, image)


def test_a_patient_in_training_and_test_is_refused_by_name():
    def case(name, patient, split):
        return TrainCase(name, patient, {"t1": Path("x.nii")}, "t1", split=split)

    refuse_leaks([case("a", "p1", "val"), case("b", "p1", "test"), case("c", "p2", "train")])
    with pytest.raises(DataError, match="p7") as caught:
        refuse_leaks([case("a", "p7", "train"), case("b", "p7", "test")])
    # A case of which no part is told is trained on.
    refuse_leaks([case("a", "p1", ""), case("b", "p1", "train"), case("c", "p1", "")])
    for part in ("val", "test"):
        with pytest.raises(DataError, match="p8"):
            refuse_leaks([case("a", "p8", ""), case("b", "p8", part)])
    assert "p7" not in caught.value.what  # who it is stands where --private takes it away


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


def test_a_layout_that_is_not_there_is_said(tmp_path):
    write_ixi(tmp_path, "IXI012-HH-1211")
    with pytest.raises(DataError, match="no brats2020 set was found"):
        find_subsets((f"brats2020={tmp_path}",), "anomaly")


def test_a_path_that_does_not_exist_is_said(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        find_subsets((str(tmp_path / "gone"),), "anomaly")


def labelled(layout, *labels):
    made = tuple(TrainCase(f"c{n}", f"p{n}", {}, "", label=k) for n, k in enumerate(labels))
    return Subset("x", layout, Path(), made)


def test_of_a_case_list_with_lesions_the_normal_cases_are_learnt_from():
    part = labelled("cases", 0, 1, None, 0).normal_part
    assert [case.case for case in part.cases] == ["c0", "c3"]
    assert labelled("cases", 1, None).normal_part is None
    assert labelled("ixi-t1", 0, 0).normal_part.is_normal
    assert labelled("tumour-volumes", 0, 1).normal_part is None


def test_a_box_is_a_share_of_the_picture_and_marks_the_middles_within_it():
    """Column, row, width and height of its middle; the picture is 40 columns and 48 rows."""
    made = cases._box_mask((0.25, 0.75, 0.2, 0.125), (2, 48, 40))
    assert made.shape == (2, 48, 40)
    assert np.array_equal(made[0], made[1])
    rows, columns = np.nonzero(made[0])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (33, 38, 6, 13)
    assert made[0].sum() == 6 * 8


def test_slices_of_a_mask_that_nobody_has_looked_at_do_not_count(tmp_path):
    picture = head()
    image = write_nifti(tmp_path / "a.nii.gz", picture)
    mask = np.full(picture.shape, -1, dtype=np.int16)
    mask[..., 20] = 0
    mask[16:24, 20:28, 20] = 1
    looked_at = write_nifti(tmp_path / "m.nii.gz", mask)
    brain = write_nifti(tmp_path / "b.nii.gz", (picture > 100).astype(np.uint8))
    case = TrainCase("a", "p", {"t1": image}, "t1", mask=looked_at, brain=brain, brain_rule="mask")
    found = prepare_case(case)
    assert np.flatnonzero(found.known).tolist() == [20]
    assert np.flatnonzero(found.truth.any(axis=(1, 2))).tolist() == [20]
    whole = slices_of(found.prepared)
    clean_elsewhere = np.where(found.truth[whole.index], 9.0, 1.0)
    clean_elsewhere[whole.index != 20] = 99.0
    scored = Scored(np.arange(len(whole), dtype=float), clean_elsewhere.astype(np.float32))
    result = result_of(found, whole, {"model": scored})
    assert np.isfinite(result.labels).sum() == 1
    assert result.figures["model"].pr_auc == pytest.approx(1.0)
    whole_brain = prepare_case(TrainCase("b", "p", {"t1": image}, "t1", mask=brain, brain=brain))
    assert whole_brain.known is None
