"""Chest figures on sources that trainings left out."""

from types import SimpleNamespace

import numpy as np
import pytest

from medview.domain.progress import Silent
from medview.learning.cxr_measure import Measuring
from medview.learning.cxr_metrics import Said
from medview.learning.subset import TrainCase


def case(number, site):
    cells = {"prognosis": "SEVERE" if number % 2 else "MILD", "view": "AP"}
    return TrainCase(f"c{number}", f"p{number}", {}, "film", site=site, cells=cells)


CASES = tuple(case(n, "a" if n < 20 else "b") for n in range(40))
SITES = np.array([one.site for one in CASES])


def said(cases, severe):
    n = len(cases)
    none = np.full((n, 6), np.nan)
    return Said(tuple(cases), np.asarray(severe, float), none, none[:, 0], none[:, 0])


def crossed(monkeypatch, inside):
    """Figures by site and name where networks say of each film what chance made them say."""
    chance = np.random.default_rng(3).uniform(0.02, 0.98, len(CASES))

    def left_out(self, job, left):
        kept = np.flatnonzero(left)
        return said([CASES[n] for n in kept], chance[kept])

    monkeypatch.setattr(Measuring, "_left_out", left_out)
    given = SimpleNamespace(films=SimpleNamespace(cases=CASES))
    rows = Measuring(None, given, None, 0)._crossed(Silent(), said(CASES, inside))
    return {(row.group.partition(":")[2][:1], row.name): row.value for row in rows}


@pytest.mark.parametrize("site", ["a", "b"])
def test_a_source_left_out_has_no_part_in_how_its_own_scores_are_calmed(monkeypatch, site):
    honest = np.where(np.arange(len(CASES)) % 2 == 1, 0.7, 0.3)
    sure_and_wrong = np.where(site == SITES, 1 - honest**3, honest)
    first, second = crossed(monkeypatch, honest), crossed(monkeypatch, sure_and_wrong)
    for name in ("brier", "ece"):
        assert second[site, name] == first[site, name]
    other = "b" if site == "a" else "a"
    assert second[other, "brier"] != first[other, "brier"]
