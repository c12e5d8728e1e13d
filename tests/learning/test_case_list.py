"""Case lists: what they say is kept, what is wrong is named by column and row."""

import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from brains import head, write_nifti

from medview.domain.errors import DataError, UsageError
from medview.domain.progress import Silent
from medview.learning.case_list import (
    cases_of,
    list_rows,
    load_case_list,
    read_rows,
    write_rows,
)
from medview.learning.cases import find_subsets, prepare_case


def write_list(folder: Path, text: str, *files: str) -> Path:
    for name in files:
        write_nifti(folder / name, head())
    path = folder / "cases.csv"
    path.write_text(text, encoding="utf-8-sig")
    return path


def load(path: Path):
    return load_case_list(path, ("t1", "t1ce"))


def test_a_list_says_files_patient_site_part_and_labels(tmp_path):
    path = write_list(
        tmp_path,
        "case,patient,site,split,t1,t1ce,label,age_years,sex,note\n"
        "a,p1,HH,test,a.nii.gz,,1,61.5,F,seen twice\n"
        "b,,,,,b.nii.gz,,,,\n",
        "a.nii.gz",
        "b.nii.gz",
    )
    first, second = load(path).cases
    assert (first.patient, first.site, first.split, first.label) == ("p1", "HH", "test", 1)
    assert (first.age_years, first.sex, first.cells) == (61.5, "F", {"note": "seen twice"})
    assert first.image == tmp_path / "a.nii.gz"
    assert (second.patient, second.role, second.label) == ("b", "t1ce", None)


def test_numbers_with_leading_zeros_stay_as_they_are_written(tmp_path):
    path = write_list(tmp_path, "case,patient,t1\n007,0012,a.nii.gz\n", "a.nii.gz")
    (case,) = load(path).cases
    assert (case.case, case.patient) == ("007", "0012")


def test_a_mask_and_a_brain_are_read_with_the_case(tmp_path):
    write_nifti(tmp_path / "m.nii.gz", (head() > 170).astype("uint8"))
    write_nifti(tmp_path / "b.nii.gz", (head() > 100).astype("uint8"))
    path = write_list(tmp_path, "case,t1,mask,brain\na,a.nii.gz,m.nii.gz,b.nii.gz\n", "a.nii.gz")
    found = prepare_case(load(path).cases[0])
    assert found.prepared.mask.sum() == (head() > 100).sum()
    assert found.truth.any()


def test_a_mask_whose_axes_lie_in_another_order_marks_the_same_voxels(tmp_path):
    path = write_list(tmp_path, "case,t1,mask\na,a.nii.gz,m.nii.gz\n", "a.nii.gz")
    lesion = np.zeros(head().shape, np.uint8)
    lesion[8:14, 10:13, 9:11] = 1
    truth = []
    for axes in ("RAS", "PIL"):
        mask = nib.load(write_nifti(tmp_path / "m.nii.gz", lesion))
        turned = nib.orientations.ornt_transform(
            nib.io_orientation(mask.affine), nib.orientations.axcodes2ornt(axes)
        )
        nib.save(mask.as_reoriented(turned), tmp_path / "m.nii.gz")
        truth.append(prepare_case(load(path).cases[0]).truth)
    assert truth[0].any()
    np.testing.assert_array_equal(*truth)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,t1\na,x.nii\n", 'column "case" is missing'),
        ("case,t1,t1\na,x.nii,y.nii\n", 'column "t1" is given twice'),
        ("case,t1\na,x.nii\nb,x.nii\na,x.nii\n", 'case "a" is in row 2 and in row 4'),
        ("case,t1\n,x.nii\n", 'row 2, column "case" is empty'),
        ("case,t1\na,x.nii,y.nii\n", "row 2 has 3 cells"),
        ("case,t1,label\na,x.nii,yes\n", 'row 2, column "label": "yes"'),
        ("case,t1,split\na,x.nii,training\n", 'row 2, column "split": "training"'),
        ("case,t1,age_years\na,x.nii,old\n", 'row 2, column "age_years": "old" is no age'),
        ("case,t1,age_years\na,x.nii,-5\n", '"-5" is no age in years'),
        ("case,film,film_hour\na,x.png,nan\n", 'column "film_hour": "nan" is no number'),
        ("case,t1,sex\na,x.nii,w\n", 'row 2, column "sex": "w" is none of F, M'),
        ("case,series,icu_admission\na,x.csv,y\n", 'column "icu_admission": "y" is none of 0, 1'),
        ("case,series,phenotype_03\na,x.csv,yes\n", 'row 2, column "phenotype_03": "yes"'),
        ("case,series,phenotype_25\na,x.csv,2\n", 'column "phenotype_25": "2" is none of 0, 1'),
    ],
)
def test_what_is_wrong_is_named_by_column_and_row(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        load(write_list(tmp_path, text))


@pytest.mark.parametrize(
    "raw",
    [
        "Case;Patient;T1;Age_Years;Note\r\n\r\nß ;7; a.nii.gz;61,5;3,5\r\n;;;;\r\n".encode(
            "latin-1"
        ),
        "\ufeffcase\tpatient\t t1\tage_years\tNote\nß\t7\ta.nii.gz\t61.5\t3,5\n".encode(),
        '"CASE", "patient","t1","age_years","Note"\r"ß","7","a.nii.gz","61.5","3,5"\r'.encode(),
    ],
)
def test_a_list_is_read_whichever_program_wrote_it(tmp_path, raw):
    write_nifti(tmp_path / "a.nii.gz", head())
    (tmp_path / "cases.csv").write_bytes(raw)
    (case,) = load(tmp_path / "cases.csv").cases
    assert (case.case, case.patient, case.age_years, case.cells) == (
        "ß",
        "7",
        61.5,
        {"Note": "3,5"},
    )
    (subset,) = find_subsets((str(tmp_path),), "anomaly")
    assert subset.layout == "cases"


def test_words_count_in_any_case_and_labels_as_programs_write_them(tmp_path):
    path = write_list(
        tmp_path,
        "case,split,t1,label,sex,prognosis,mortality,phenotype_02\n"
        "a,Train,a.nii.gz,1.0,f,Severe,0.0,1\nb,TEST,a.nii.gz,,M,mild,1,0.0\n",
        "a.nii.gz",
    )
    first, second = load(path).cases
    assert (first.split, first.label, first.sex) == ("train", 1, "F")
    assert (second.split, second.label, second.sex) == ("test", None, "M")
    assert first.cells == {"prognosis": "SEVERE", "mortality": "0", "phenotype_02": "1"}
    assert second.cells == {"prognosis": "MILD", "mortality": "1", "phenotype_02": "0"}


def test_a_column_of_ones_own_with_a_year_in_its_name_is_no_phenotype(tmp_path):
    text = "case,t1,mortality,phenotype_2020\na,a.nii.gz,0,5\n"
    (case,) = load(write_list(tmp_path, text, "a.nii.gz")).cases
    assert case.cells == {"mortality": "0", "phenotype_2020": "5"}


@pytest.mark.parametrize("name", ["phenotype_1", "Phenotype_01", "phenotype 1", "phenotype1"])
def test_a_phenotype_is_read_however_its_number_is_written(tmp_path, name):
    text = f"case,t1,mortality,{name},phenotype_12\na,a.nii.gz,0,1.0,0\n"
    (case,) = load(write_list(tmp_path, text, "a.nii.gz")).cases
    assert case.cells == {"mortality": "0", "phenotype_01": "1", "phenotype_12": "0"}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("phenotype_26", 'the column "phenotype_26" is of no phenotype; there are phenotype_01'),
        ("phenotype_0", 'the column "phenotype_0" is of no phenotype'),
        ("phenotype_01,phenotype_1", "the column phenotype_01 is given twice: phenotype_01, pheno"),
    ],
)
def test_a_phenotype_that_there_is_not_is_told_and_not_left_out(tmp_path, columns, said):
    with pytest.raises(DataError, match=said):
        load(write_list(tmp_path, f"case,t1,{columns}\na,a.nii.gz,{'1,' * columns.count(',')}1\n"))


def test_a_comma_in_a_number_of_a_list_with_commas_is_told_with_what_to_do(tmp_path):
    path = write_list(tmp_path, 'case,t1,age_years\na,a.nii.gz,"61,5"\n', "a.nii.gz")
    with pytest.raises(DataError, match=r'row 2, column "age_years".*Write decimals with a point'):
        load(path)


def test_a_table_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_bytes(b"case,t1\n\xff\xfe\x00a,b\n")
    with pytest.raises(DataError, match="CSV in UTF-8"):
        load(path)


def test_a_case_whose_file_is_missing_is_left_out_by_name(tmp_path):
    path = write_list(
        tmp_path, "case,t1,flair\na,a.nii.gz,\nb,gone.nii.gz,\nc,,c.nii.gz\n", "a.nii.gz"
    )
    subset = load(path)
    assert [case.case for case in subset.cases] == ["a"]
    missing, other = subset.skipped
    assert (missing.case, missing.what) == ("b", 'row 3, column "t1": "gone.nii.gz" is not there')
    assert (other.case, other.what) == ("c", "it has no t1 or t1ce file")


@pytest.mark.skipif(sys.platform == "win32", reason="backslashes part folders there")
def test_a_list_written_on_windows_finds_its_files_with_all_its_ways(tmp_path):
    (tmp_path / "img" / "sub").mkdir(parents=True)
    write_nifti(tmp_path / "img" / "sub" / "a.nii.gz", head())
    path = tmp_path / "cases.csv"
    rows = r"case;t1;mask;age_years||a;img\sub\a.nii.gz;.\img\sub\a.nii.gz;61,5||"
    path.write_bytes(b"\xef\xbb\xbf" + rows.replace("||", "\r\n").encode())
    (case,) = load(path).cases
    there = tmp_path / "img" / "sub" / "a.nii.gz"
    assert (case.image, case.mask, case.age_years) == (there, there, 61.5)
    (described,) = cases_of(Silent(), path, ("t1",))
    assert described.image == there
    (row,) = list_rows([str(path)], "")
    assert row["t1"] == str(there)


@pytest.mark.skipif(sys.platform == "win32", reason="backslashes part folders there")
def test_a_file_with_a_backslash_in_its_name_is_taken_as_it_is_called(tmp_path):
    path = write_list(tmp_path, "case,t1\na,x\\a.nii.gz\n", "x\\a.nii.gz")
    (case,) = load(path).cases
    assert case.image.name == "x\\a.nii.gz"


@pytest.mark.skipif(sys.platform == "win32", reason="these are paths of another system here")
@pytest.mark.parametrize(
    ("named", "kind"),
    [
        (r"C:\Users\Doe\a.nii.gz", "of Windows"),
        ("D:/data/a.nii.gz", "of Windows"),
        (r"\\server\share\a.nii.gz", "of Windows"),
        ("/home/doe/a.nii.gz", "that is not on this computer"),
    ],
)
def test_a_full_path_of_another_computer_is_refused_in_a_sentence(tmp_path, named, kind):
    path = write_list(tmp_path, f"case,t1\na,{named}\n")
    (left,) = load(path).skipped
    assert left.what == (
        f'row 2, column "t1": "a.nii.gz" is named by a full path {kind}; '
        "name it as it lies from the folder of the list"
    )


def test_a_patient_on_both_sides_of_the_split_is_refused_by_name(tmp_path):
    path = write_list(
        tmp_path,
        "case,patient,split,t1\na,p1,train,a.nii.gz\nb,p1,val,a.nii.gz\n",
        "a.nii.gz",
    )
    with pytest.raises(DataError, match="p1"):
        find_subsets((str(path),), "anomaly")
    assert load(path).cases[0].split == "train"


def test_a_folder_with_a_case_list_is_recognised_and_its_images_are_not_taken_twice(tmp_path):
    write_list(tmp_path / "set", "case,t1\na,a.nii.gz\n", "a.nii.gz", "b.nii.gz")
    (subset,) = find_subsets((str(tmp_path),), "anomaly")
    assert (subset.layout, [case.case for case in subset.cases]) == ("cases", ["a"])


def test_a_table_without_the_column_case_is_no_case_list(tmp_path):
    write_list(tmp_path, "patient,shape\np1,3\n", "a.nii.gz")
    (subset,) = find_subsets((str(tmp_path),), "anomaly")
    assert subset.layout == "folder"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("case,t1\n", "it has no case"),
        ("id,image\n1,a.nii.gz\n", 'the column "case" is missing; there are: id, image'),
    ],
)
def test_a_file_given_as_data_that_is_no_case_list_is_told_why(tmp_path, text, said):
    path = write_list(tmp_path, text, "a.nii.gz")
    with pytest.raises(DataError, match=said):
        find_subsets((str(path),), "anomaly")
    with pytest.raises(DataError, match=f"cases.csv: {said}"):
        find_subsets((str(tmp_path),), "cxr")


def test_a_layout_without_a_path_is_wrong_use():
    with pytest.raises(UsageError, match="is empty"):
        find_subsets(("cases=",), "anomaly")


def test_a_list_that_is_written_is_read_again_as_it_was(tmp_path):
    write_nifti(tmp_path / "in" / "a.nii.gz", head())
    write_nifti(tmp_path / "else" / "b.nii.gz", head())
    rows = [
        {"t1": str(tmp_path / "in" / "a.nii.gz"), "case": "a", "patient": "007", "note": "x, y"},
        {"t1": str(tmp_path / "else" / "b.nii.gz"), "case": "b", "label": "0", "site": ""},
    ]
    write_rows(tmp_path / "in" / "cases.csv", rows)
    first, second = load(tmp_path / "in" / "cases.csv").cases
    assert (first.patient, first.cells, first.label) == ("007", {"note": "x, y"}, None)
    assert (second.image, second.label) == (tmp_path / "else" / "b.nii.gz", 0)
    cells = read_rows(tmp_path / "in" / "cases.csv")[0].cells
    assert list(cells) == ["case", "patient", "t1", "label", "note"]
    assert cells["t1"] == "a.nii.gz"
    assert (tmp_path / "in" / "cases.csv").stat().st_mode & 0o77 == 0


def test_a_name_longer_than_any_file_has_is_of_one_that_is_not_there(tmp_path):
    text = f"case,t1\na,{'x' * 300}\nb,sub\\{'y' * 300}\n"
    (tmp_path / "cases.csv").write_text(text, encoding="utf-8")
    found = load_case_list(tmp_path / "cases.csv", ("t1",))
    assert [(one.case, one.code) for one in found.skipped] == [
        ("a", "MV-DAT-102"),
        ("b", "MV-DAT-102"),
    ]
