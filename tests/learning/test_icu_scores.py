"""Which of two answers a score is, with the effect of a site or without it."""

from types import SimpleNamespace

import pytest
from armed_stays import SITES, risk_at, stay

from medview.learning import icu_scores

pytestmark = pytest.mark.usefixtures("seeded")


def test_a_run_says_which_answer_it_is_and_names_the_known_sites(armed_icu, tmp_path):
    table = stay(tmp_path)
    known = risk_at(armed_icu, table, SITES[1])
    assert [score.name for score in known.scores][:3] == [
        "mortality", "mortality_fixed", "mortality_mixed",
    ]  # fmt: skip
    best, fixed, mixed = known.scores[:3]
    assert best.value == mixed.value == known.trace[-1].mortality
    assert best.value != fixed.value
    assert "with the effect of the site ICU type 2" in best.meaning
    assert known.parameters["site"] == SITES[1]
    assert "UNKNOWN_SITE" not in [note.code for note in known.warnings]
    for site in (None, "Atlantis"):
        other = risk_at(armed_icu, table, site)
        best, alone, mixed = other.scores[:3]
        assert best.value == alone.value == fixed.value
        assert (best.low, best.high) == (fixed.low, fixed.high)
        assert mixed.status == "not_available"
        assert "fixed effects alone" in best.meaning
        (note,) = [note for note in other.warnings if note.code == "UNKNOWN_SITE"]
        assert note.text.endswith(f"It knows: {', '.join(SITES)}")


def test_what_the_interval_is_made_of_is_told(armed_icu, tmp_path):
    table = stay(tmp_path)
    known, unknown = (
        risk_at(armed_icu, table, site, samples=2).scores[0] for site in (SITES[0], None)
    )
    draws = "2 networks \u00d7 2 dropout draws"
    assert known.method.startswith(f"{draws}, with draws of the site's effect")
    assert "each known site's effect in turn" in unknown.method


BRANCH = SimpleNamespace(
    name="mortality", uses_film=True, networks=[SimpleNamespace(fusing="concat")]
)
BOTH = SimpleNamespace(film="a film", has_series=True)


@pytest.mark.parametrize(
    ("branch", "given", "why"),
    [
        (None, BOTH, icu_scores._NO_FILM),
        (BRANCH, None, icu_scores._NO_FILM),
        (SimpleNamespace(**{**vars(BRANCH), "uses_film": False}), BOTH, icu_scores._NO_FILM),
        (BRANCH, SimpleNamespace(film=None, has_series=True), "no film was given"),
        (BRANCH, SimpleNamespace(film="a film", has_series=False), "no series was given"),
    ],
)
def test_shares_of_series_and_film_say_why_there_are_none(branch, given, why):
    scores = icu_scores._modality_scores(None, branch, given)
    assert [(one.value, one.status, one.meaning) for one in scores] == [
        (None, "not_available", why)
    ] * 4


@pytest.mark.parametrize("fusing", ["concat", "attention-cls"])
def test_each_share_stands_under_its_own_name_and_that_of_attention_only_where_there_is_any(
    fusing, monkeypatch
):
    branch = SimpleNamespace(**{**vars(BRANCH), "networks": [SimpleNamespace(fusing=fusing)]})
    monkeypatch.setattr(icu_scores, "attention", lambda *given: (0.7, 0.3))
    monkeypatch.setattr(icu_scores, "shapley", lambda *given: (0.125, -0.02, 0.31))
    scores = {one.name: one for one in icu_scores._modality_scores(None, branch, BOTH)}
    has_any = fusing.startswith("attention")
    assert {name: one.value for name, one in scores.items()} == {
        "attention_series": 0.7 if has_any else None,
        "attention_film": 0.3 if has_any else None,
        "shapley_series": 0.125,
        "shapley_film": -0.02,
    }
    assert "from 0.310 (neither given)" in scores["shapley_film"].meaning
    assert ("fuse without attention" in scores["attention_film"].meaning) is not has_any
