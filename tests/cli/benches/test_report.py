"""``medview bench report`` on less than a report, with the work done here."""

from importlib import import_module

from medview.cli.benches import report
from medview.cli.benches.report import material, measure
from medview.domain.progress import Silent


class Here:
    """Does the work of the child in this process."""

    def report(self, *_):
        pass

    def call(self, lane, work, *args):
        assert lane == "pages"
        module, _, function = work.partition(":")
        return getattr(import_module(module), function)(Silent(), *args)


def test_every_row_is_measured_and_two_exports_are_the_same(monkeypatch):
    monkeypatch.setattr(report, "_SHAPE", (30, 40, 40))
    monkeypatch.setattr(report, "_KEY_IMAGES", 2)
    rows = {row.what: row for row in measure(Here(), quick=True)}
    assert rows["two exports of one state that differ in content"].met
    assert all(row.value > 0 for what, row in rows.items() if not what.startswith("two"))
    (written,) = [row for what, row in rows.items() if "pages written" in what]
    assert (written.unit, written.aim) == ("s", report.AIM_S)


def test_what_crosses_with_every_word_has_no_pixels():
    heavy, light = material()
    assert light.volume is None
    assert all(outcome.prediction.maps == () for outcome in light.outcomes)
    assert heavy.volume.array.shape == report._SHAPE
    assert {each.name for each in heavy.predictions[0].maps} == {"score", "total", "brain"}
