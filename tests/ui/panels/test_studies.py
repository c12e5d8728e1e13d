from dataclasses import replace
from pathlib import Path

import pytest
from phantoms import geometry_of, phantom_on
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QLineEdit, QListWidget, QPushButton
from services.stubs import series_of

from medview.domain.errors import ReadError
from medview.domain.prediction import InputRef
from medview.domain.study import Catalogue, Choice, Patient, Skipped, Study
from medview.domain.volume import Note
from medview.services.session_values import TableFile
from medview.ui.panels.study_rows import KIND, SECOND, SERIES, TAG, THUMB, WARNS, whole_parts


def two_patients():
    newest = Study("1.2", "2026-03-14", "MR Head", series=(series_of("1.1"), series_of("1.2")))
    older = Study("1.3", "2025-09-02", "MR Head", series=(series_of("1.3"),))
    one = Patient("aaaa1111", "P1", "Doe^Jane", "F", "1964-05-01", (older, newest))
    film = series_of("2.1", modality="DX", description="Chest AP")
    two = Patient("bbbb2222", "P2", "Roe^Max", "M", None, (Study("2", series=(film,)),))
    bad = (
        Skipped("IM3.dcm", "MV-IO-103", "ends early"),
        Skipped("notes.txt", "MV-IO-001", "not a medical image"),
    )
    return Catalogue((one, two), bad)


@pytest.fixture
def listed(bench):
    bench.session.catalogue = two_patients()
    bench.settle()
    return bench


def rows(bench, above=None):
    """Every row that is seen, as (kind, title, index), top to bottom."""
    tree = bench.window.studies.tree
    model, found, above = tree.model(), [], above or QModelIndex()
    for row in range(model.rowCount(above)):
        index = model.index(row, 0, above)
        if not tree.isRowHidden(row, above):
            found.append((index.data(KIND), index.data(), index))
            found += rows(bench, index)
    return found


def series_row(bench, key):
    return next(index for kind, _, index in rows(bench) if index.data(SERIES) == key)


def test_patients_studies_and_series_hang_below_each_other(listed):
    assert [(kind, title) for kind, title, _ in rows(listed)] == [
        ("patient", "Doe, Jane"),
        ("study", "MR Head"),
        ("series", "T1 1.1"),
        ("series", "T1 1.2"),
        ("study", "MR Head"),
        ("series", "T1 1.3"),
        ("patient", "Roe, Max"),
        ("study", "Study"),
        ("series", "Chest AP"),
    ]


def test_a_row_says_number_distance_and_plane(listed):
    assert series_row(listed, "1.1#0").data(SECOND) == "16 · 5.0 mm · axial"


def test_the_patient_has_sex_age_and_number_of_studies(listed):
    assert rows(listed)[0][2].data(SECOND) == "F · 61 y · 2 studies"


def test_only_the_older_study_is_prior(listed):
    assert series_row(listed, "1.1#0").data(TAG) == ""
    assert series_row(listed, "1.3#0").data(TAG) == "PRIOR"


def test_private_hides_names_ids_and_dates(listed):
    listed.session.private = True
    text = " ".join(
        f"{title} {index.data(SECOND)} {index.data(Qt.ItemDataRole.ToolTipRole)}"
        for _, title, index in rows(listed)
    )
    assert "aaaa1111" in text
    for secret in ("Doe", "Jane", "P1", "61", "2026"):
        assert secret not in text


def test_a_warning_stands_in_the_row(bench):
    series = series_of("1.1", missing_slices=(3, 4), warnings=(Note("INCOMPLETE", "2 are gone"),))
    study = Study("1", series=(series, series_of("1.2")))
    bench.session.catalogue = Catalogue((Patient("k", studies=(study,)),))
    row = series_row(bench, "1.1#0")
    assert row.data(WARNS)
    assert row.data(SECOND) == "2 slices missing · 16 · 5.0 mm · axial"
    assert "2 are gone" in row.data(Qt.ItemDataRole.ToolTipRole)
    assert not series_row(bench, "1.2#0").data(WARNS)


def test_a_slice_that_cannot_be_read_stands_in_the_row_once_it_is_known(bench):
    series = series_of("1.1")
    bench.session.catalogue = Catalogue((Patient("k", studies=(Study("1", series=(series,)),)),))
    assert not series_row(bench, "1.1#0").data(WARNS)
    part = replace(
        phantom_on(geometry_of("LPS")), warnings=(Note("PARTIAL", "one"),), missing_slices=(2,)
    )
    with bench.session.together():
        bench.session.series, bench.session.volume = series, replace(part, slices_to_come=(1,))
    assert not series_row(bench, "1.1#0").data(WARNS)
    bench.session.volume = part
    assert series_row(bench, "1.1#0").data(SECOND).startswith("1 slice missing · ")


def test_private_hides_descriptions_that_name_the_patient_and_files_left_out(bench):
    series = series_of("1.1", description="T1 of Miller")
    study = Study("1", description="Miller head", series=(series,))
    skipped = (Skipped("miller.txt", "MV-IO-001", "not a medical image"),)
    bench.session.private = True
    bench.session.catalogue = Catalogue(
        (Patient("k", name="Miller^A", studies=(study,)),), skipped, files=2, read=1
    )
    said = [
        bench.window.studies.left_out_list.item(0).text(),
        *(title for _, title, _ in rows(bench)),
    ]
    assert said == ["not a medical image", "Patient k", "Study", "MR"]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("chest", {"Chest AP"}),
        ("doe 1.3", {"T1 1.3"}),
        ("P2", {"Chest AP"}),
        ("MR HEAD", {"T1 1.1", "T1 1.2", "T1 1.3"}),
        ("nobody", set()),
        ("", {"T1 1.1", "T1 1.2", "T1 1.3", "Chest AP"}),
    ],
)
def test_the_find_box_leaves_only_what_has_all_the_words(listed, words, left):
    listed.find(QLineEdit, "studies_find").setText(words)
    assert {title for kind, title, _ in rows(listed) if kind == "series"} == left


def test_a_click_shows_the_series(listed):
    tree = listed.window.studies.tree
    tree.clicked.emit(series_row(listed, "1.2#0"))
    assert listed.jobs.running("load_and_identify")[0].args[0].key == "1.2#0"


def test_a_click_on_a_patient_shows_nothing(listed):
    listed.window.studies.tree.clicked.emit(rows(listed)[0][2])
    assert listed.jobs.running("load_and_identify") == []


def test_the_series_on_screen_is_the_chosen_row_with_its_picture(bench):
    bench.show(uid="1.1")
    row = bench.window.studies.tree.currentIndex()
    assert row.data(SERIES) == "1.1#0"
    assert not row.data(THUMB).isNull()


def test_files_left_out_are_counted_and_listed_on_request(listed):
    link = listed.find(QPushButton, "studies_left_out")
    names = listed.find(QListWidget, "studies_left_out_list")
    assert link.text() == "2 files left out"
    assert not names.isVisible()
    link.click()
    assert names.isVisible()
    assert names.item(0).text() == "IM3.dcm: ends early"


def test_a_table_that_is_used_beside_the_images_is_not_left_out(listed):
    link = listed.find(QPushButton, "studies_left_out")
    given = InputRef("smri", "", "s", 0, "abc", (1, 2, 3))
    for path, text in (
        ("/data/notes.txt", "1 file left out"),
        ("/data/my-notes.txt", "2 files left out"),
        ("/data/IM3.dcm", "1 file left out"),
    ):
        listed.session.tables = {"smri": TableFile("smri", Path(path), given)}
        assert link.text() == text
    listed.session.tables = {}
    assert link.text() == "2 files left out"


def test_an_empty_list_says_what_to_do(bench):
    assert bench.window.studies.findChildren(QLineEdit)[0].isEnabled() is False
    assert not bench.window.studies.tree.isVisible()
    assert "Ctrl+O" in bench.window.studies.empty.text()


def test_the_reader_chooses_form_and_key_from_the_menu_of_a_row(bench):
    plain = series_of("1.1")
    nifti = series_of("1.2", forms=("sform", "qform"), form="sform")
    split = series_of("1.3", split_keys=("EchoTime", "TriggerTime"), split_by="EchoTime")
    study = Study("1", series=(plain, nifti, split))
    bench.session.catalogue = Catalogue((Patient("k", studies=(study,)),))
    panel = bench.window.studies
    assert panel.menu_of(series_row(bench, "1.1#0")) is None
    for key, texts, choice in (
        ("1.2#0", ["Position by the sform", "Position by the qform"], Choice("1.2", form="qform")),
        ("1.3#0", ["Volumes by EchoTime", "Volumes by TriggerTime"],
         Choice("1.3", split_by="TriggerTime")),
    ):  # fmt: skip
        menu = panel.menu_of(series_row(bench, key))
        assert [action.text() for action in menu.actions()] == texts
        assert [action.isChecked() for action in menu.actions()] == [True, False]
        menu.actions()[1].trigger()
        assert bench.jobs.last.args[1][-1] == choice


@pytest.mark.parametrize(
    ("split_by", "said"), [("time", "120 times, every 2.20 s"), ("component", "120 volumes")]
)
def test_the_row_says_how_fast_volumes_follow_each_other(bench, split_by, said):
    series = series_of("1.1", times=120, time_step_s=2.2, split_by=split_by)
    bench.session.catalogue = Catalogue((Patient("k", studies=(Study("1", series=(series,)),)),))
    assert series_row(bench, "1.1#0").data(SECOND).endswith(said)


def test_what_could_not_be_read_is_not_marked_as_on_screen(bench):
    bench.show(uid="1.1")
    bench.session.catalogue = two_patients()
    bench.settle()
    bench.window.studies.tree.clicked.emit(series_row(bench, "2.1#0"))
    bench.window.studies.tree.setCurrentIndex(series_row(bench, "2.1#0"))
    bench.jobs.running("load_and_identify")[-1].fail(ReadError("no such file", file="a.dcm"))
    bench.settle()
    assert bench.session.series.key == "1.1#0"
    assert bench.window.studies.tree.currentIndex().data(SERIES) == "1.1#0"


def many(patients=60, series=5):
    """A catalogue that is too large to be listed in one go."""
    made = []
    for p in range(patients):
        own = tuple(series_of(f"{p}.{n}", patient_key=f"p{p}") for n in range(series))
        study = Study(f"s{p}", "2026-03-14", description="MR head", series=own)
        made.append(Patient(f"p{p}", f"P{p}", f"Name{p:02d}^Ann", studies=(study,)))
    return Catalogue(tuple(made))


def listed_names(bench):
    model = bench.window.studies.tree.model()
    return [model.item(row).text() for row in range(model.rowCount())]


def test_of_very_many_series_more_are_listed_as_one_scrolls(bench, qtbot):
    bench.session.catalogue = many()
    studies = bench.window.studies
    bench.settle()
    first = len(listed_names(bench))
    assert 0 < first < 60
    assert not studies.more.isHidden()
    bar = studies.tree.verticalScrollBar()

    def scrolled():
        bar.setValue(bar.maximum())
        return len(listed_names(bench)) == 60

    qtbot.waitUntil(scrolled)
    assert listed_names(bench) == [f"Name{p:02d}, Ann" for p in range(60)]
    qtbot.waitUntil(studies.more.isHidden)


def test_of_very_many_series_those_far_down_are_found(bench, qtbot):
    bench.session.catalogue = many()
    studies = bench.window.studies
    studies.find_box.setText("name57 head")
    qtbot.waitUntil(lambda: listed_names(bench) == ["Name57, Ann"])
    studies.find_box.setText("nobody")
    qtbot.waitUntil(lambda: listed_names(bench) == [])
    studies.find_box.setText("")
    qtbot.waitUntil(lambda: listed_names(bench)[:1] == ["Name00, Ann"])


def test_of_very_many_series_the_one_on_screen_is_in_the_list(bench):
    bench.session.catalogue = many()
    far = bench.session.catalogue.patients[58].studies[0].series[3]
    bench.app.library.show(far)
    bench.read()
    assert bench.window.studies.tree.currentIndex().data(SERIES) == far.key


def one_patient(series=3000):
    """One patient with two studies, the older one of very many series."""
    old = tuple(
        series_of(f"a.{n}", patient_key="p", description=f"series {n:04d}") for n in range(series)
    )
    new = tuple(series_of(f"b.{n}", patient_key="p", description="T1") for n in range(2))
    studies = (Study("a", "2020-01-01", series=old), Study("b", "2026-01-01", series=new))
    return Catalogue((Patient("p", "P", "Name^Ann", studies=studies),))


def series_titles(bench):
    model = bench.window.studies.tree.model()
    patients = [model.item(row) for row in range(model.rowCount())]
    studies = [each.child(row) for each in patients for row in range(each.rowCount())]
    return [each.child(row).text() for each in studies for row in range(each.rowCount())]


def test_the_series_of_one_patient_are_listed_little_by_little(bench, qtbot):
    bench.session.catalogue = one_patient()
    studies = bench.window.studies
    bench.settle()
    first = series_titles(bench)
    # The newer study stands first; of the older one not all was listed in one go.
    assert first[:4] == ["T1", "T1", "series 0000", "series 0001"]
    assert 50 < len(first) < 400
    assert not studies.more.isHidden()
    bar = studies.tree.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: len(series_titles(bench)) > len(first))
    assert series_titles(bench)[2:] == sorted(series_titles(bench)[2:])


def test_a_series_far_down_of_one_patient_is_found_and_stands_at_its_place(bench, qtbot):
    bench.session.catalogue = one_patient()
    studies = bench.window.studies
    bench.settle()
    far = bench.session.catalogue.patients[0].studies[0].series[2500]
    bench.app.library.show(far)
    bench.read()
    assert studies.tree.currentIndex().data(SERIES) == far.key
    first = series_titles(bench)
    assert first[-1] == "series 2500"
    assert len(first) < 600
    # What follows is listed before it.
    bar = studies.tree.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: len(series_titles(bench)) > len(first))
    assert series_titles(bench)[2:] == sorted(series_titles(bench)[2:])
    studies.find_box.setText("name 2777")
    qtbot.waitUntil(lambda: series_titles(bench) == ["series 2777"])


def test_rows_are_freed_once_however_often_the_list_is_made_anew(bench):
    bench.session.catalogue = one_patient(150)
    for words in ("t", "", "s", "") * 3:
        bench.window.studies.find_box.setText(words)
        bench.settle()
    assert series_titles(bench)[:2] == ["T1", "T1"]


@pytest.mark.parametrize(
    ("like", "left"),
    [
        ("⚠ orientation unknown · 1 image", "⚠ orientation unknown · 1 image"),
        ("⚠ orientation unknown · 1 i", "⚠ orientation unknown"),
        ("⚠ orient", "⚠ orientation unknown"),
    ],
)
def test_of_the_second_line_of_a_row_only_whole_parts_are_left(qapp, like, left):
    metrics = QFontMetrics(qapp.font())
    room = metrics.horizontalAdvance(like)
    assert whole_parts("⚠ orientation unknown · 1 image", metrics, room) == left


def test_a_name_that_is_cut_is_whole_in_its_tip(listed):
    item = listed.window.studies.tree.model().item(0)
    assert item.text() in item.toolTip()


def test_in_a_narrow_window_the_first_doubt_about_a_series_is_whole(head):
    head.window.resize(1366, 768)
    head.settle()
    tree = head.window.studies.tree
    small = QFont(tree.font())
    small.setPixelSize(12)
    # Thumbnail, its margins and those of the row, as they are drawn.
    room = tree.viewport().width() - 4 - 6 - 6 - 44 - 14
    assert QFontMetrics(small).horizontalAdvance("⚠ orientation unknown") <= room
