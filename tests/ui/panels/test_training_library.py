"""Cases read here in the panel: ticked, stated, used; and a case as the recipe changes it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton, QTreeWidget
from ui.panels.test_training import (  # noqa: F401  # a fixture
    FOUND,
    looked_at,
    panel,
    said,
    with_all_models,
)

from medview.domain.errors import DataError, InputRefused
from medview.domain.local_case import LocalCase, LocalCases
from medview.domain.varied import Variant, Varied
from medview.ui.panels.training_words import difference_lines

ON, OFF = Qt.CheckState.Checked, Qt.CheckState.Unchecked


def case(number, label="normal: 2 findings rejected", *, labelled=True, wrong=""):
    cells = (("case", f"c{number}"), ("label", "0"))
    return LocalCase(f"c{number}", "p1", f"P{number} · T1", cells, label, labelled, wrong)


CASES = (case(1), case(2, "no answer yet", labelled=False), case(3), case(4, wrong="It changed."))


@pytest.fixture
def listed(bench, panel):  # noqa: F811  # the fixture
    bench.find(QPushButton, "training_library").click()
    (job,) = bench.jobs.running("local_work:gather")
    bench.settle()
    assert "Looking for cases" in said(panel.cases)
    job.finish(LocalCases(CASES, (("old", "does not exist"),)))
    bench.settle()
    return bench.find(QTreeWidget, "training_library_list")


def test_cases_read_here_are_listed_with_what_readers_said(bench, panel, listed):  # noqa: F811
    rows = [listed.topLevelItem(n) for n in range(4)]
    assert rows[0].text(0) == "P1 · T1\nnormal: 2 findings rejected"
    assert rows[3].text(0) == "P4 · T1\ncannot be used"
    assert [row.checkState(0) for row in rows[:3]] == [ON, OFF, ON]
    assert not rows[1].flags() & Qt.ItemFlag.ItemIsEnabled
    assert "A brain is normal where all findings were rejected" in said(panel.cases)
    problems = bench.find(QLabel, "training_library_problems").text()
    assert problems == "P4 · T1: It changed.\nold: does not exist"


def test_the_ticked_ones_become_the_cases_of_the_training(bench, listed):
    use = bench.find(QPushButton, "training_use")
    assert use.text() == "Use 3 cases"
    listed.topLevelItem(0).setCheckState(0, OFF)
    listed.topLevelItem(3).setCheckState(0, OFF)
    bench.settle()
    assert use.text() == "Use this case"
    use.click()
    (job,) = bench.jobs.running("local_work:write")
    assert [one.case for one in job.args[1]] == ["c3"]
    job.finish(str(job.args[0]))
    assert bench.app.tuning.now.data == job.args[0]


def test_the_case_to_label_next_is_named_with_the_reason_and_opens(
    bench,
    panel,  # noqa: F811
    listed,
    monkeypatch,
):
    cells = (("case", "c7"), ("t1", "/studies/c7"))
    doubted = replace(case(7, "no answer yet", labelled=False), doubt=1.0, cells=cells)
    found = (case(1), replace(doubted, why="draws from 1.00 to 3.00"), doubted)
    bench.app.tuning.library.look("anomaly")
    bench.jobs.running("local_work:gather")[-1].finish(LocalCases(found))
    bench.settle()
    rows = [listed.topLevelItem(n) for n in range(3)]
    assert rows[1].text(0) == "P7 · T1\nlabel next: draws from 1.00 to 3.00"
    assert "was not tried" in bench.find(QLabel, "training_library_worth").text()
    opened = []
    monkeypatch.setattr(bench.window, "open_paths", opened.append)
    listed.itemActivated.emit(rows[1], 0)
    assert opened == [(Path("/studies/c7"),)]
    rows[1].setCheckState(0, ON)
    assert "c7" not in bench.app.tuning.library.chosen


def test_nothing_ticked_cannot_be_used(bench, listed):
    for n in (0, 2, 3):
        listed.topLevelItem(n).setCheckState(0, OFF)
    bench.settle()
    assert not bench.find(QPushButton, "training_use").isEnabled()


def test_what_a_region_means_is_said_by_the_reader(bench, listed):
    box = bench.find(QCheckBox, "training_states")
    assert (box.text(), box.isChecked()) == ("Drawn regions are lesions", False)
    box.click()
    (job,) = bench.jobs.running("local_work:gather")
    assert job.args[0].states is True


def test_names_leave_the_screen_when_nobody_may_read_them(bench, listed):
    bench.session.private = True
    bench.settle()
    assert bench.app.tuning.library.found == ()
    assert listed.isHidden()


def test_a_model_without_labels_says_why(bench, panel):  # noqa: F811
    bench.find(QPushButton, "training_library").click()
    refusal = InputRefused("what is read here gives no cases", do="Choose a case list.")
    bench.jobs.running("local_work:gather")[0].fail(refusal)
    bench.settle()
    words = bench.find(QLabel, "training_library_problems").text()
    assert words == "what is read here gives no cases. Choose a case list."


# -- a case as the recipe changes it -----------------------------------------------------------


def picture(value, left="R"):
    grey = np.full((8, 8), value, np.uint8)
    return Variant(grey, left, "L" if left == "R" else "R")


def previewed(bench, answer=None, error=None):
    bench.find(QPushButton, "training_preview_go").click()
    (job,) = bench.jobs.running("augment_preview:preview")
    if error is None:
        job.finish(answer)
    else:
        job.fail(error)
    bench.settle()
    return job


def test_a_case_is_shown_as_it_is_and_six_times_as_it_is_trained(bench, panel, tmp_path):  # noqa: F811
    assert panel.preview.isHidden()
    looked_at(bench, tmp_path)
    six = tuple(picture(20 * n, "L" if n % 2 else "R") for n in range(6))
    job = previewed(bench, Varied("c1", "Each slice is tilted.", picture(200), six))
    model, data, recipe, number, _ = job.args
    assert (model, data, number) == ("anomaly", (str(tmp_path / "cases.csv"),), 0)
    assert recipe["augment"]["gamma"] == 0.12
    shown = [bench.find(object, f"variant_{n}") for n in range(1, 7)]
    assert [one.toolTip() for one in shown[:2]] == [
        "R on the left, L on the right",
        "L on the left, R on the right",
    ]
    grabbed = shown[3].grab().toImage()
    assert grabbed.pixelColor(grabbed.width() // 2, grabbed.height() // 3).red() == 60
    assert "Each slice is tilted." in said(panel.preview)
    assert previewed(bench, Varied("c2", "", picture(1), six)).args[3] == 1
    bench.app.tuning.look(tmp_path / "other.csv")
    assert bench.app.tuning.varying.shown is None


def test_tables_have_words_instead_of_pictures(bench, panel, tmp_path):  # noqa: F811
    looked_at(bench, tmp_path)
    previewed(bench, Varied("", "This model learns from tables."))
    assert "This model learns from tables." in said(panel.preview)
    assert bench.window.findChild(object, "variant_1") is None


def test_a_case_that_cannot_be_shown_is_said(bench, panel, tmp_path):  # noqa: F811
    looked_at(bench, tmp_path)
    previewed(bench, error=DataError("no case has an image", do="Choose others."))
    assert "no case has an image. Choose others." in said(panel.preview)
    assert bench.find(QPushButton, "training_preview_go").isEnabled()


# -- sites, files read once, figures of groups ---------------------------------------------------


def test_sites_can_be_left_out_where_a_case_list_names_several(bench, panel, tmp_path):  # noqa: F811
    looked_at(bench, tmp_path)
    box = bench.find(QCheckBox, "training_sites")
    assert not box.isHidden()
    box.click()
    assert bench.app.tuning.now.trainings == 3
    bench.find(QPushButton, "training_go").click()
    assert len(bench.jobs.running("left_sites:finetune_and_leave_sites")) == 1


def test_a_calibration_leaves_sites_out_of_any_set_that_names_them(bench, panel, tmp_path):  # noqa: F811
    tuning = with_all_models(bench)
    cxr = next(each.name for each in tuning.choices() if each.card.id == "cxr")
    tuning.wish(version=cxr, method="calibrate", sites=True)
    tuning.look(tmp_path / "folder")
    bench.jobs.running("finetune:survey")[0].finish(FOUND)
    bench.jobs.running("case_check:check")[0].finish(FOUND)
    bench.settle()
    assert not bench.find(QCheckBox, "training_sites").isHidden()
    assert tuning.now.trainings == 1
    tuning.start()
    assert len(bench.jobs.running("left_sites:calibrate_and_leave_sites")) == 1


@pytest.mark.parametrize(("name", "sites"), [("cases.csv", 1), ("folder", 2)])
def test_they_cannot_where_there_is_one_site_or_no_list(bench, panel, tmp_path, name, sites):  # noqa: F811
    tuning = bench.app.tuning
    tuning.wish(sites=True)
    tuning.look(tmp_path / name)
    found = {**FOUND, "sites": sites}
    bench.jobs.running("finetune:survey")[0].finish(found)
    bench.jobs.running("case_check:check")[0].finish(found)
    bench.settle()
    assert bench.find(QCheckBox, "training_sites").isHidden()
    tuning.start()
    assert len(bench.jobs.running("finetune:finetune")) == 1


def test_start_waits_for_the_files_and_says_so(bench, panel, tmp_path):  # noqa: F811
    bench.app.tuning.look(tmp_path / "cases.csv")
    bench.jobs.running("finetune:survey")[0].finish(FOUND)
    bench.settle()
    assert "Each file is read once before anything runs" in said(panel.cases)
    assert not bench.find(QPushButton, "training_go").isEnabled()
    bench.jobs.running("case_check:check")[0].cancel()
    bench.settle()
    assert "Not all files were read" in said(panel.cases)
    assert bench.find(QPushButton, "training_go").isEnabled()


def row(group, low, high, who=None, value=None):
    same = {"task": "age", "level": "case", "name": "mae", "subset": "x", "group": group}
    both = {"new_minus_old": (low + high) / 2, "low": low, "high": high}
    return {**same, **(both if who is None else {"predictor": who, "value": value})}


def test_figures_say_whose_they_are_and_how_sure():
    groups = {"validation": (-2, -1), "reference": (1, 2), "site:HH": (-1, 1)}
    found = {
        "metrics": [row(g, 0, 0, who, 5.0) for g in groups for who in ("old", "new")],
        "differences": [row(g, *span) for g, span in groups.items()],
        "worse": ["reference mae"],
    }
    lines = difference_lines(found)
    assert [line.cells[0] for line in lines] == [
        *("", error := "Mean absolute error", "Locked set", error),
        *("Site HH, left out", error),
    ]
    assert [line.look for line in lines if len(line.cells) > 1] == ["quiet", "good", "worse", ""]
    assert lines[1].cells[1:] == ("5.00", "5.00", "−1.50", "−2.00 to −1.00")
    assert difference_lines({}) == []
    for one in (*found["metrics"], *found["differences"]):
        one["level"] = "slice"
    assert difference_lines(found)[1].cells[0] == "Slice mean absolute error"


def test_sites_come_after_the_whole_and_a_wider_interval_is_neither_good_nor_bad():
    groups = ("validation", "validation, site:HH", "reference", "reference, site:HH")
    found = {
        "metrics": [row(g, 0, 0, who, 5.0) for g in groups for who in ("old", "new")],
        "differences": [row(g, 1, 2) for g in groups],
    }
    found["differences"][0]["name"] = "interval_width"
    lines = difference_lines(found)
    heads = [line.cells[0] for line in lines if len(line.cells) == 1]
    assert heads == ["Locked set", "Held out: site HH", "Locked set: site HH"]
    assert [line.look for line in lines if len(line.cells) > 1][1:3] == ["", "worse"]
