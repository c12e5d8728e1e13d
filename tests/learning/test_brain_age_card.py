"""The card of an age model says what it was trained on, and where it is weak."""

from dataclasses import replace

import pytest
from age_sets import write_abide, write_ixi_table
from age_weights import QUICK

from medview.domain.card import Figure
from medview.domain.progress import Silent
from medview.learning.abide_sets import load_abide
from medview.learning.brain_age_card import _drawn, make_card, weak_spots
from medview.learning.brain_age_fit import fit_age_model, usable
from medview.learning.brain_age_recipe import TrainOptions
from medview.learning.brain_age_sets import load_ixi_roi
from medview.learning.brain_age_table import table_of
from medview.learning.brain_age_training import train_command

SHORT = replace(QUICK, train=TrainOptions(epochs=1, batch=16))


def card_of(subset, recipe=SHORT, figures=()):
    table = usable(table_of([subset]), recipe)
    fitted = fit_age_model(Silent(), table, recipe)
    return make_card([subset], table, recipe, fitted, figures)


def test_the_card_of_ixi_names_people_ages_sites_and_licence(tmp_path):
    write_ixi_table(tmp_path)
    card = card_of(load_ixi_roi(tmp_path))
    (trained,) = card.trained_on_by(None)
    assert trained.n_patients == 40
    assert "3 sites, 20 women, 20 men" in trained.note
    assert card.licence.partition("; from a T1 volume: ")[0] == "CC BY-SA 3.0"
    assert card.inputs[0].role == "smri"
    assert "fmri" not in {spec.role for spec in card.inputs}
    assert card.settings["recipe"]["members"] == 2
    assert any("not been measured" in limit for limit in card.limits)
    own = [limit for limit in card.limits if not limit.startswith("From a T1 volume")]
    assert not any("refit" in limit for limit in own)


@pytest.mark.parametrize(("share", "close"), [(0.9712, True), (0.5, False)])
def test_how_much_of_the_age_passes_by_the_codes_is_said(tmp_path, share, close):
    write_ixi_table(tmp_path)
    subset = load_ixi_roi(tmp_path)
    table = usable(table_of([subset]), SHORT)
    fitted = fit_age_model(Silent(), table, SHORT)
    fitted.trainer.history.append((1, "health", "linear_share", share))
    method = " ".join(make_card([subset], table, SHORT, fitted, ()).method)
    assert f"{100 * share:.2f} % of the variance of the age comes by that linear path" in method
    assert ("close to a linear one" in method) is close


def test_a_card_of_males_with_cases_says_so_and_is_not_for_commerce(tmp_path):
    write_abide(tmp_path, count=20, pairs=12)
    card = card_of(load_abide(tmp_path), replace(SHORT, features=10))
    assert card.licence.startswith("research, non-commercial")
    assert [spec.role for spec in card.inputs][:2] == ["smri", "fmri"]
    limits = " ".join(card.limits)
    assert "the sex head is idle" in limits
    assert "only controls are the reference" in limits


@pytest.mark.parametrize(("ridge", "says"), [(4.0, 1), (5.0, 1), (6.0, 0)])
def test_a_simple_model_that_errs_no_more_is_named(ridge, says):
    figures = (Figure("mae", 5.0, "x"), Figure("mae", ridge, "x", predictor="ridge"))
    assert len(weak_spots(figures)) == says
    assert weak_spots(()) == ()


def test_a_variant_of_the_model_is_no_simple_model():
    variant = Figure("mae", 4.0, "x", predictor="no-skip", extra={"runs": 5})
    assert weak_spots((Figure("mae", 5.0, "x"), variant)) == ()


def test_a_simple_model_that_is_better_at_new_sites_is_named():
    group = "unseen-site:all"
    figures = (
        Figure("mae", 5.0, "x", group=group),
        Figure("mae", 4.9, "x", predictor="ridge", group=group),
    )
    (said,) = weak_spots(figures)
    assert (
        said == "At a site left out a simple model (ridge) errs no more: 4.90 against 5.00 years."
    )


def test_the_command_of_a_figure_names_what_differs(tmp_path):
    write_ixi_table(tmp_path)
    subset = load_ixi_roi(tmp_path)
    table = table_of(
        [replace(subset, cases=tuple(replace(c, subset="ixi-roi") for c in subset.cases))]
    )
    words = train_command(table, replace(QUICK, folds=5, target="log"))
    assert words == (
        "medview train brain-age --data ../shared/data/brain_age/ixi --out DIR "
        "--set folds=5 --set target=log"
    )


def test_ages_are_said_to_be_drawn_where_the_gap_goes():
    assert _drawn(-0.3).startswith("Ages are drawn to the middle: the raw gap changes by -0.30")
    assert _drawn(0.2).startswith("Ages are drawn away from the middle: the raw gap changes by +0.")
