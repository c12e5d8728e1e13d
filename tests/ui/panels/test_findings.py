"""Where findings are said to be, and what stands in their place where there are none."""

from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QTreeWidget
from result_phantom import head as phantom_head
from result_phantom import prediction_on

from medview.domain.prediction import Score
from medview.services.report_result import where_words
from medview.ui.panels.findings import none_words


def result(*values):
    """A result with these anomaly scores, at most one."""
    score = Score("anomaly", *values) if values else None
    return SimpleNamespace(score=lambda name: score)


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([result(0.3)], "No region of 0.2 ml or more is above the threshold"),
        ([result()], "No region of 0.2 ml or more is above the threshold"),
        ([result(None)], "did not recognise these images"),
        ([result(None), result(0.3)], "No region of 0.2 ml or more is above the threshold"),
    ],
)
def test_nothing_found_is_not_the_same_as_nothing_judged(results, words):
    assert words in none_words(results)


def test_a_finding_is_told_by_its_place_in_the_brain_as_in_the_report(head):
    made = prediction_on(head.show(phantom_head(), uid="7.7"))
    head.session.predictions = {head.session.volume_id: (made,)}
    head.settle()
    tree = head.find(QTreeWidget, "findings")
    rows = [tree.topLevelItem(n).text(1).splitlines()[0] for n in range(tree.topLevelItemCount())]
    assert rows == [where_words(each, made).partition(",")[0] for each in made.findings]
    assert "left" in rows[0]
    assert " mm" in tree.topLevelItem(0).toolTip(1)


def test_that_a_finding_is_hidden_by_uncertainty_is_whole_in_a_small_window(head):
    head.window.resize(1280, 720)
    made = prediction_on(head.show(phantom_head(), uid="7.7"))
    head.session.predictions = {head.session.volume_id: (made,)}
    head.window.show_panel("results")
    head.settle()
    tree = head.find(QTreeWidget, "findings")
    (row,) = [n for n, each in enumerate(made.findings) if each.hidden_by_uncertainty]
    item = tree.topLevelItem(row)
    lines = item.text(1).splitlines()
    assert lines[1:] == ["hidden by uncertainty", f"slice {made.findings[row].slice + 1}"]
    assert tree.fontMetrics().horizontalAdvance(lines[1]) < tree.columnWidth(1)
    assert tree.visualItemRect(item).height() >= 3 * tree.fontMetrics().height()
    below = tree.visualItemRect(tree.topLevelItem(tree.topLevelItemCount() - 1)).bottom()
    assert below <= tree.viewport().height()
