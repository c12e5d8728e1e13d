"""Sets of normal brains, each as it lies on disk."""

import nibabel as nib
import numpy as np
import pytest
from brains import head, write_ixi, write_nifti
from PIL import Image

from medview.domain.errors import DataError
from medview.learning.cases import find_subsets, prepare_case
from medview.learning.images import read_image


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


def test_a_folder_of_pictures_of_any_kind_that_is_read_is_a_set_too(tmp_path):
    names = ["a.bmp", "b.gif", "c.jp2", "d.png", "e.tif", "f.webp"]
    for name in names:
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / name)
    (subset,) = find_subsets((f"folder={tmp_path}",), "anomaly")
    assert [case.image.name for case in subset.cases] == names


def test_an_image_in_two_files_is_one_case_of_a_folder(tmp_path):
    write_nifti(tmp_path / "b.nii", head())
    pair = nib.Nifti1Pair(head().astype(np.int16), np.eye(4))
    nib.save(pair, tmp_path / "a.img")
    (subset,) = find_subsets((f"folder={tmp_path}",), "anomaly")
    assert [case.image.name for case in subset.cases] == ["a.hdr", "b.nii"]
    assert read_image(subset.cases[0].image).array.shape == head().T.shape


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


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("name", ["IXI012-HH-1211-T1_ds", "Subj1_T1"])
def test_brains_and_labels_are_found_packed_or_not(name, ending, tmp_path):
    write_nifti(tmp_path / f"{name}{ending}", head())
    write_nifti(tmp_path / f"{name}_DLMUSE{ending}", (head() > 100).astype(np.uint8))
    (subset,) = find_subsets((str(tmp_path),), "anomaly")
    (case,) = subset.cases
    assert (case.image.name, case.brain.name) == (f"{name}{ending}", f"{name}_DLMUSE{ending}")


def test_elderly_brains_without_labels_are_known_by_the_table_of_people(tmp_path):
    for name in ("T1", "FLAIR"):
        write_nifti(tmp_path / f"Subj1_{name}.nii.gz", head())
    (tmp_path / "participants.csv").write_text("MRID,Age,Sex\nSubj1,82.3,M\n")
    (subset,) = find_subsets((str(tmp_path),), "anomaly")
    assert [(case.case, case.brain) for case in subset.cases] == [("Subj1", None)]


@pytest.mark.parametrize(
    ("table", "age"),
    [("MRID;Age;Sex\nSubj1;82,3;M\n", 82.3), ("MRID,Age\nSubj1,n/a\n", None)],
    ids=["semicolons", "unknown"],
)
def test_a_table_of_people_is_read_whichever_program_wrote_it(table, age, tmp_path):
    write_nifti(tmp_path / "Subj1_T1.nii", head())
    (tmp_path / "participants.csv").write_text(table)
    (subset,) = find_subsets((str(tmp_path),), "anomaly")
    assert [case.age_years for case in subset.cases] == [age]


def test_an_age_that_is_none_is_refused_by_its_row(tmp_path):
    write_ixi(tmp_path, "IXI012-HH-1211")
    (tmp_path / "participants.csv").write_text("MRID,Age\nIXI012-HH-1211,old\n")
    with pytest.raises(DataError, match='row 2, column "Age": "old" is no age'):
        find_subsets((str(tmp_path),), "anomaly")


def test_the_dicom_slices_of_a_folder_are_one_case(tmp_path):
    for name in ("anna/1.dcm", "anna/2.dcm", "ben/1.dcm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (subset,) = find_subsets((f"folder={tmp_path}",), "anomaly")
    assert [(case.case, case.image.name) for case in subset.cases] == [
        ("anna", "anna"),
        ("ben", "ben"),
    ]
