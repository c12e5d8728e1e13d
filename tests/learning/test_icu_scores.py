"""Which of two answers a score is, with the effect of a site or without it."""

import pytest
from armed_stays import SITES, risk_at, stay

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
    assert known.method.startswith("2 networks x 2 dropout draws, with draws of the site's effect")
    assert "each known site's effect in turn" in unknown.method
