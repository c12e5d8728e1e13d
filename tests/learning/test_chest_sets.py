import csv
import zipfile

import numpy as np
import pytest
from PIL import Image

from medview.domain.errors import DataError
from medview.learning.cases import find_subsets
from medview.learning.chest_rows import (
    brixia_text,
    lung_class,
    outcome_by_patient,
    severity_class,
)


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (80, 80), np.uint8)
    Image.fromarray(pixels).save(path)


def table(path, rows, delimiter=",", bom=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8-sig" if bom else "utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def workbook(path, rows):
    """An .xlsx with shared strings and inline numbers, as spreadsheets write it."""
    words: list[str] = []
    ns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    lines = []
    for r, row in enumerate([list(rows[0]), *(list(row.values()) for row in rows)], start=1):
        cells = []
        for c, value in enumerate(row):
            place = f"{chr(65 + c)}{r}"
            if isinstance(value, str):
                words.append(value)
                cells.append(f'<c r="{place}" t="s"><v>{len(words) - 1}</v></c>')
            else:
                cells.append(f'<c r="{place}"><v>{value}</v></c>')
        lines.append(f'<row r="{r}">{"".join(cells)}</row>')
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as book:
        book.writestr(
            "xl/worksheets/sheet1.xml",
            f"<worksheet {ns}><sheetData>{''.join(lines)}</sheetData></worksheet>",
        )
        strings = "".join(f"<si><t>{word}</t></si>" for word in words)
        book.writestr("xl/sharedStrings.xml", f"<sst {ns}>{strings}</sst>")


def only(folder):
    (subset,) = find_subsets((str(folder),), "cxr")
    return subset


def test_aiforcovid_as_laid_out(tmp_path):
    row = {"ImageFile": "P_1", "Hospital": "F", "Age": 63, "Sex": 1, "Prognosis": "SEVERE"}
    rows = [
        row,
        {**row, "ImageFile": "P_2.dcm", "Hospital": "A", "Prognosis": "MILD"},
        {**row, "ImageFile": "P_3"},
    ]
    workbook(tmp_path / "AIforCOVID.xlsx", rows)
    workbook(tmp_path / "AIforCOVID_r3.xlsx", [{**row, "ImageFile": "P_3_391"}])
    for name in ("imgs/P_1.png", "imgs/P_2.png", "imgs_r3/P_3_391.png"):
        picture(tmp_path / name)
    subset = only(tmp_path)
    assert subset.layout == "aiforcovid"
    assert [(c.case, c.site, c.cells["prognosis"]) for c in subset.cases] == [
        ("P_1", "F", "SEVERE"),
        ("P_2", "A", "MILD"),
    ]
    assert subset.cases[0].age_years == 63
    assert {one.case for one in subset.skipped} == {"P_3", "P_3_391"}


def test_aiforcovid_names_a_missing_column(tmp_path):
    workbook(tmp_path / "AIforCOVID.xlsx", [{"ImageFile": "P_1", "Hospital": "F"}])
    with pytest.raises(DataError, match="Age, Sex, Prognosis"):
        only(tmp_path)


def test_brixia_keeps_leading_zeros_and_sets_the_consensus_patients_apart(tmp_path):
    row = {"Filename": "1.dcm", "Subject": "s1", "Manufacturer": "AGFA", "Sex": "F"}
    rows = [
        {**row, "BrixiaScore": "12", "BrixiaScoreGlobal": "3", "ConsensusTestset": "0"},
        {**row, "Filename": "2.dcm", "BrixiaScore": "122123", "BrixiaScoreGlobal": "11",
         "ConsensusTestset": "1", "Subject": "s2"},
        {**row, "Filename": "3.dcm", "BrixiaScore": "000000", "BrixiaScoreGlobal": "0",
         "ConsensusTestset": "0", "Subject": "s2"},
    ]  # fmt: skip
    table(tmp_path / "metadata_global_v2.csv", rows, ";", bom=True)
    for name in ("1.dcm", "2.dcm", "3.dcm"):
        (tmp_path / "dicom_clean").mkdir(exist_ok=True)
        (tmp_path / "dicom_clean" / name).write_bytes(b"x")
    subset = only(tmp_path)
    assert [c.cells["brixia"] for c in subset.cases] == ["000012", "122123", "000000"]
    assert [c.split for c in subset.cases] == ["train", "test", "test"]
    table(tmp_path / "metadata_global_v2.csv", [{**rows[0], "BrixiaScore": "9"}], ";", bom=True)
    with pytest.raises(DataError, match="row 2: the Brixia score") as caught:
        only(tmp_path)
    assert caught.value.file == "metadata_global_v2.csv"
    assert {c.site for c in subset.cases} == {"AGFA"}


def covid_row(**fields):
    zones = {f"brixia_{r}_{z}": "" for r in ("senior", "junior") for z in (*"ABCDEF", "Global")}
    row = {"patient_key": "covid:1", "image_file": "images/a.jpg", "view": "PA", "offset": "3",
           "finding": "COVID-19", "went_icu": "", "intubated": "", "survival": "", "age": "",
           "sex": "F", "license": "", "lung_mask": "",
           "same_as_hannover_image": "", **zones}  # fmt: skip
    return {**row, **fields}


def test_covid_chestxray_outcome_views_and_scores(tmp_path):
    zones = dict(zip((f"brixia_senior_{z}" for z in "ABCDEF"), "001203", strict=True))
    rows = [
        covid_row(went_icu="N", intubated="N", survival="Y"),
        covid_row(patient_key="covid:2", image_file="images/b.jpg", survival="N"),
        covid_row(patient_key="covid:3", image_file="images/c.jpg", view="L", went_icu="Y"),
        covid_row(patient_key="covid:4", image_file="images/d.jpg", finding="SARS",
                  brixia_senior_Global="6.0", **zones),
        covid_row(patient_key="covid:5", image_file="images/e.jpg", went_icu="N"),
        covid_row(patient_key="hannover:9", image_file="../x.jpg", same_as_hannover_image="x"),
    ]  # fmt: skip
    table(tmp_path / "metadata.csv", rows)
    for name in "abcde":
        picture(tmp_path / f"images/{name}.jpg")
    subset = only(tmp_path)
    assert {c.case: c.cells.get("prognosis", "") for c in subset.cases} == {
        "a": "MILD", "b": "SEVERE", "d": "", "e": ""
    }  # fmt: skip
    assert subset.cases[2].cells["brixia"] == "001203"
    assert [(one.case, one.what) for one in subset.skipped] == [("c", "it is a lateral film")]


def test_a_total_that_is_not_the_sum_is_refused(tmp_path):
    zones = dict(zip((f"brixia_senior_{z}" for z in "ABCDEF"), "001203", strict=True))
    table(tmp_path / "metadata.csv", [covid_row(brixia_senior_Global="7", **zones)])
    with pytest.raises(DataError, match="row 2") as caught:
        only(tmp_path)
    assert caught.value.file == "metadata.csv"


def test_hannover_course(tmp_path):
    row = {"patient_id": "p", "image_id": "i", "image_file": "images/i.jpg", "sex": "m",
           "admission_offset": "-3", "icu_admission_offset": "2.0", "projection": "ap",
           "patient_icu": "1", "patient_died": "0"}  # fmt: skip
    table(tmp_path / "metadata.csv", [row])
    picture(tmp_path / "images/i.jpg")
    (case,) = only(tmp_path).cases
    assert case.patient == "hannover:p"
    assert case.cells == {"prognosis": "SEVERE", "view": "AP", "day": "3.0", "to_icu": "2.0"}


def test_a_broken_offset_of_a_film_is_named_by_row_and_column(tmp_path):
    row = {"patient_id": "p", "image_id": "i", "image_file": "i.jpg", "patient_icu": "1",
           "admission_offset": "-3", "icu_admission_offset": "2 d"}  # fmt: skip
    picture(tmp_path / "i.jpg")
    table(tmp_path / "metadata.csv", [row])
    with pytest.raises(DataError, match='row 2, column "icu_admission_offset": "2 d" is no number'):
        only(tmp_path)
    table(tmp_path / "metadata.csv", [covid_row(image_file="i.jpg", offset="5-7")])
    with pytest.raises(DataError, match='row 2, column "offset": "5-7" is no number'):
        only(tmp_path)


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ({"patient_icu": "0", "patient_died": "0"}, "MILD"),
        ({"patient_icu": "0", "patient_died": "1"}, "SEVERE"),
        ({"patient_icu": "1.0", "patient_died": ""}, "SEVERE"),
        ({"patient_icu": "", "patient_died": ""}, None),
        ({"patient_icu": "0", "patient_died": ""}, None),
        ({}, None),
    ],
)
def test_a_course_that_is_not_told_is_no_mild_one(told, outcome, tmp_path):
    row = {"patient_id": "p", "image_id": "i", "image_file": "i.jpg", "admission_offset": "NA"}
    table(tmp_path / "metadata.csv", [{**row, **told}])
    picture(tmp_path / "i.jpg")
    (case,) = only(tmp_path).cases
    assert case.cells.get("prognosis") == outcome
    assert "day" not in case.cells


def test_an_age_of_covid_chestxray_that_is_none_is_named(tmp_path):
    picture(tmp_path / "x.jpg")
    rows = [covid_row(image_file="x.jpg", went_icu="Y", age="old")]
    table(tmp_path / "metadata.csv", rows)
    with pytest.raises(DataError, match='row 2, column "age": "old" is no age'):
        only(tmp_path)


def test_a_case_list_reads_scores_as_text(tmp_path):
    picture(tmp_path / "f.png")
    rows = [{"case": "c", "film": "f.png", "prognosis": "MILD", "brixia": "001020"}]
    table(tmp_path / "cases.csv", rows)
    assert only(tmp_path / "cases.csv").cases[0].cells["brixia"] == "001020"
    table(tmp_path / "cases.csv", [{**rows[0], "brixia": "1020"}])
    with pytest.raises(DataError, match="leading zeros lost") as caught:
        only(tmp_path / "cases.csv")
    assert caught.value.file == "cases.csv"


def test_scores_and_classes():
    assert brixia_text("[122]", "x", pad=True) == "000122"
    with pytest.raises(DataError, match="x: the Brixia score"):
        brixia_text("000004", "x")
    assert [severity_class(n) for n in (0, 4, 5, 9, 10, 14, 15, 18)] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [lung_class(n) for n in (0, 1, 2, 4, 5, 7, 8, 9)] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_outcome_needs_all_three_to_be_known_for_mild():
    rows = [
        {"patient_key": "a", "went_icu": "N", "intubated": "", "survival": "Y"},
        {"patient_key": "a", "went_icu": "", "intubated": "N", "survival": ""},
        {"patient_key": "b", "went_icu": "N", "intubated": "N", "survival": ""},
        {"patient_key": "c", "went_icu": "N", "intubated": "N", "survival": "Y"},
        {"patient_key": "c", "went_icu": "", "intubated": "Y", "survival": ""},
        {"patient_key": "d", "went_icu": "Would have been stated", "intubated": "", "survival": ""},
    ]
    assert outcome_by_patient(rows) == {"a": "MILD", "c": "SEVERE"}


def test_own_columns_of_a_film_list_are_no_cells_of_known_sets(tmp_path):
    picture(tmp_path / "i.png")
    own = {"case": "a", "film": "i.png", "prognosis": "MILD", "day": "Monday", "to_icu": "never"}
    table(tmp_path / "cases.csv", [own])
    (case,) = only(tmp_path / "cases.csv").cases
    assert case.cells == {"prognosis": "MILD"}
    table(tmp_path / "cases.csv", [{**own, "brixia_junior": "none"}])
    with pytest.raises(DataError, match='case "a"'):
        only(tmp_path / "cases.csv")
