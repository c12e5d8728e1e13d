"""Where findings are said to be, and what stands in their place where there are none."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from phantoms import geometry_of, phantom_on
from PySide6.QtWidgets import QTreeWidget
from result_phantom import head as phantom_head
from result_phantom import prediction_on
from ui.fakes import two_findings

from medview.domain.prediction import Score
from medview.services.report_result import where_words
from medview.ui.panels.findings import _INSET_PX, none_words


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


def test_a_finding_that_was_compared_says_with_how_many_normal_brains_in_a_line_of_its_own(head):
    head.window.resize(1280, 720)
    made = prediction_on(head.show(phantom_head(), uid="7.7"))
    first, *rest = made.findings
    made = replace(made, findings=(replace(first, normals_as_high=2, normals=14), *rest))
    head.session.predictions = {head.session.volume_id: (made,)}
    head.window.show_panel("results")
    head.settle()
    tree = head.find(QTreeWidget, "findings")
    item, other = tree.topLevelItem(0), tree.topLevelItem(1)
    line = item.text(1).splitlines()[2]
    assert line == "like 2/14 normals"
    assert len(other.text(1).splitlines()) == 2
    assert tree.fontMetrics().horizontalAdvance(line) < tree.columnWidth(1)
    assert tree.visualItemRect(item).height() >= 3 * tree.fontMetrics().height()
    # Also where it was answered, and the answer takes its room.
    item.setText(3, "rejected")
    head.settle()
    for each in item.text(1).splitlines():
        assert tree.fontMetrics().horizontalAdvance(each) <= tree.columnWidth(1) - 2 * _INSET_PX


@pytest.mark.parametrize(("code", "told"), [("LPS", "slice 11"), ("PIL", "H 3 mm")])
def test_of_a_stack_that_is_not_axial_a_finding_says_how_high_it_lies(bench, code, told):
    volume = bench.show(phantom_on(geometry_of(code, (40, 44, 36), (3.0, 3.0, 3.0))))
    (first, _) = two_findings(volume)
    bench.add_result(findings=(replace(first, centroid_lps=(5.0, 4.0, 3.2)),))
    bench.settle()
    lines = bench.find(QTreeWidget, "findings").topLevelItem(0).text(1).splitlines()
    assert lines[1].endswith(f"· {told}")


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


def inks(picture, box, lines):
    """Of each line of a cell the brightest pixel, and how much more red than blue there is."""
    high = box.height() // lines
    for line in range(lines):
        colours = [
            picture.pixelColor(x, y)
            for x in range(box.left(), box.right())
            # Below the tails of the letters above.
            for y in range(box.top() + line * high + 5, box.top() + (line + 1) * high)
        ]
        red = max(each.red() - each.blue() for each in colours)
        yield max(each.lightness() for each in colours), red


def test_below_the_place_of_a_finding_words_are_quiet_and_what_is_hidden_is_marked(head):
    made = prediction_on(head.show(phantom_head(), uid="7.7"))
    head.session.predictions = {head.session.volume_id: (made,)}
    head.window.show_panel("results")
    head.settle()
    tree, picture = head.find(QTreeWidget, "findings"), head.window.grab().toImage()
    assert {found.hidden_by_uncertainty for found in made.findings} == {True, False}
    for row, found in enumerate(made.findings):
        cell = tree.visualRect(tree.indexFromItem(tree.topLevelItem(row), 1))
        cell.moveTopLeft(tree.viewport().mapTo(head.window, cell.topLeft()))
        lines = 3 if found.hidden_by_uncertainty else 2
        place, *below = inks(picture, cell.adjusted(0, 3, 0, -3), lines)
        assert place[0] > 220
        assert all(bright < 200 for bright, _ in below)
        assert (below[0][1] > 100) == found.hidden_by_uncertainty
