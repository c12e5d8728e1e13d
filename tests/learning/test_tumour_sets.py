"""Miniatures of the tumour sets, written as the real ones lie on disk."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from brains import head, write_nifti
from PIL import Image

from medview.domain.errors import DataError
from medview.learning.cases import find_subsets, prepare_case

ROLES = ("t1", "t1ce", "t2", "flair")


def write_brats_case(folder: Path, *, seg: str | None = "seg", ending: str = ".nii.gz") -> None:
    brain = np.where(head() > 100, head(), 0).astype(np.int16)
    for role in ROLES:
        write_nifti(folder / f"{folder.name}_{role}{ending}", brain)
    if seg:
        labels = np.zeros(brain.shape, np.int16)
        labels[18:22, 22:26, 18:22] = 4
        name = f"{folder.name}_{seg}{ending}" if seg == "seg" else seg
        write_nifti(folder / name, labels)


def only(subsets):
    (subset,) = subsets
    return subset


def test_brats2020_is_found_in_its_nested_copy_too(tmp_path):
    inner = tmp_path / "BraTS2020_TrainingData" / "MICCAI_BraTS2020_TrainingData"
    write_brats_case(inner / "BraTS20_Training_001", ending=".nii")
    (inner / "name_mapping.csv").write_text("Grade,BraTS_2020_subject_ID\n")
    subset = only(find_subsets((str(tmp_path),), "anomaly"))
    assert (subset.name, [case.case for case in subset.cases]) == (
        "brats2020",
        ["BraTS20_Training_001"],
    )
    case = subset.cases[0]
    assert (case.role, set(case.images)) == ("t1ce", set(ROLES))
    found = prepare_case(case)
    assert found.truth.any()
    assert "given" in found.prepared.steps[1]


def test_the_segmentation_of_case_355_is_found_under_its_odd_name(tmp_path):
    write_brats_case(tmp_path / "BraTS20_Training_355", seg="W39_1998.09.19_Segm.nii")
    case = only(find_subsets((str(tmp_path),), "anomaly")).cases[0]
    assert case.mask.name == "W39_1998.09.19_Segm.nii"


def test_the_validation_part_has_no_truth_and_its_own_name(tmp_path):
    write_brats_case(tmp_path / "BraTS20_Validation_001", seg=None)
    subset = only(find_subsets((str(tmp_path),), "anomaly"))
    assert subset.name == "brats2020-validation"
    assert (subset.cases[0].mask, subset.cases[0].label) == (None, None)
    assert prepare_case(subset.cases[0]).truth is None


def test_a_case_without_t1ce_is_left_out_by_name(tmp_path):
    write_brats_case(tmp_path / "BraTS20_Training_001")
    write_brats_case(tmp_path / "BraTS20_Training_002")
    (tmp_path / "BraTS20_Training_002" / "BraTS20_Training_002_t1ce.nii.gz").unlink()
    subset = only(find_subsets((str(tmp_path),), "anomaly"))
    assert [one.case for one in subset.skipped] == ["BraTS20_Training_002"]


def test_brats2013_slices_take_t1_with_whole_tumour_from_label_four(tmp_path):
    folder = tmp_path / "BRATS_HG0001"
    picture = head()[:, :, 20].astype(np.float32)
    truth = np.where(picture > 100, 2, 0).astype(np.float32)
    truth[16:24, 20:28] = 5
    for name, array in (("T1", picture), ("T1C", picture), ("atropos_truth", truth)):
        write_nifti(folder / f"BRATS_HG0001_{name}_slice90.nii.gz", array)
    write_nifti(folder / "BRATS_HG0001_MASK_slice90.nii.gz", (picture > 100)[..., None] * 1.0)
    case = only(find_subsets((str(tmp_path),), "anomaly")).cases[0]
    assert case.role == "t1"
    found = prepare_case(case)
    # 8 x 8 pixels of 4 mm, seen with pixels of 1.5 mm.
    assert found.truth.sum() == pytest.approx(64 * (4 / 1.5) ** 2, rel=0.1)


def test_single_tumour_volumes_take_contrast_and_only_some_have_a_mask(tmp_path):
    write_nifti(tmp_path / "BraTS-MET-1" / "BraTS-MET-1-t1c.nii.gz", head())
    write_nifti(tmp_path / "BraTS-MET-1" / "BraTS-MET-1-t1n.nii.gz", head())
    write_nifti(tmp_path / "TCGA-1" / "TCGA-1_t1c.nii.gz", head())
    write_nifti(tmp_path / "TCGA-1" / "TCGA-1_t1c_brainmask.nii.gz", (head() > 100) * 1.0)
    subset = only(find_subsets((str(tmp_path),), "anomaly"))
    first, second = subset.cases
    assert (first.role, set(first.images), first.mask) == ("t1ce", {"t1", "t1ce"}, None)
    assert (second.brain_rule, second.licence) == ("mask", "CC BY 3.0")


def write_cheng(folder: Path, rows: str) -> None:
    (folder / "t1ce" / "glioma").mkdir(parents=True)
    picture = np.zeros((512, 512), np.uint8)
    rows_, columns = np.indices(picture.shape)
    picture[np.hypot(rows_ - 255, columns - 255) < 170] = 120
    Image.fromarray(picture).save(folder / "t1ce" / "glioma" / "0001.jpg")
    header = (
        "image_file,label,tumour_type,source,source_index,bbox_xc,bbox_yc,bbox_w,bbox_h,"
        "width,height,group\n"
    )
    (folder / "labels.csv").write_text(header + rows)


def test_cheng_boxes_become_a_truth_of_their_size_and_other_sources_stay_out(tmp_path):
    write_cheng(
        tmp_path,
        "t1ce/glioma/0001.jpg,tumour,glioma,Cheng figshare,1,0.625,0.5,0.125,0.25,512,512,run-4\n"
        "t1ce/glioma/0002.jpg,tumour,glioma,Cheng figshare,2,0.6,0.5,0.1,0.2,512,512,run-4\n"
        "normal/3067.jpg,normal,none,Br35H,1,,,,,200,200,b-1\n",
    )
    subset = only(find_subsets((f"cheng-t1ce={tmp_path}",), "anomaly"))
    assert [(case.case, case.patient) for case in subset.cases] == [("glioma-0001", "run-4")]
    assert [one.case for one in subset.skipped] == ["glioma-0002"]
    found = prepare_case(subset.cases[0])
    # 64 x 128 pixels of 0.49 mm, right of the middle, seen with pixels of 1.5 mm.
    width, height = 64 * 0.49 / 1.5, 128 * 0.49 / 1.5
    rows, columns = np.nonzero(found.truth[0])
    assert np.ptp(columns) + 1 == pytest.approx(width, abs=1)
    assert np.ptp(rows) + 1 == pytest.approx(height, abs=1)
    assert columns.min() > 63


CHENG_ROW = "t1ce/glioma/0001.jpg,tumour,glioma,Cheng figshare,1,0.6,0.5,0.1,{},512,512,{}\n"


def test_cheng_is_read_with_semicolons_and_without_boxes_or_groups(tmp_path):
    write_cheng(tmp_path, CHENG_ROW.format("0.2", "run-4"))
    text = (tmp_path / "labels.csv").read_text().replace(",", ";").replace("0.5", "0,5")
    (tmp_path / "labels.csv").write_text(text)
    assert only(find_subsets((str(tmp_path),), "anomaly")).cases[0].box == (0.6, 0.5, 0.1, 0.2)
    (tmp_path / "labels.csv").write_text(text.replace("0.2", "").replace("run-4", ""))
    (case,) = only(find_subsets((str(tmp_path),), "anomaly")).cases
    assert (case.box, case.patient, case.label) == (None, "glioma-0001", 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("0.2", "wide", 'row 2: "0.6, 0.5, 0.1, wide" is no box'),
        ("bbox_h", "tall", 'the column "bbox_h" is missing'),
    ],
)
def test_a_table_of_boxes_that_is_none_is_refused_by_row_or_column(old, new, said, tmp_path):
    write_cheng(tmp_path, CHENG_ROW.format("0.2", "run-4"))
    table = tmp_path / "labels.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=said):
        find_subsets((str(tmp_path),), "anomaly")


def test_a_mask_on_another_grid_is_refused(tmp_path):
    write_brats_case(tmp_path / "BraTS20_Training_001")
    path = tmp_path / "BraTS20_Training_001" / "BraTS20_Training_001_seg.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((40, 48, 39), np.int16), np.eye(4)), path)
    case = only(find_subsets((str(tmp_path),), "anomaly")).cases[0]
    with pytest.raises(Exception, match="another grid"):
        prepare_case(case)
