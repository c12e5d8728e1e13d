"""What a card says of results, by the route they were made on."""

import pytest

from medview.domain.card import Figure, ModelCard, OutputSpec, TrainedOn


def card(**fields):
    known = {
        "id": "m", "version": "1", "title": "M", "summary": "", "inputs": (), "outputs": (),
        "preparation": (), "intended_use": "", "limits": (), "licence": "", "source": "",
    }  # fmt: skip
    return ModelCard(**(known | fields))


LIMITS = ("Weak below 20 years.", "From a T1 volume: weaker still.")
SETS = (TrainedOn("A", 10, note="regions"), TrainedOn("B", 9, note="From a T1 volume: heads"))


@pytest.mark.parametrize(
    ("route", "told"), [("t1", LIMITS[1:]), ("table", LIMITS[:1]), (None, LIMITS[:1])]
)
def test_a_route_of_its_own_has_limits_of_its_own(route, told):
    made = card(limits=LIMITS, method=LIMITS)
    assert made.limits_on(route) == made.method_on(route) == told


def test_a_route_of_which_nothing_is_said_has_the_common_limits():
    assert card(limits=LIMITS[:1]).limits_on("t1") == LIMITS[:1]


@pytest.mark.parametrize(("route", "sets"), [("t1", ["B"]), ("table", ["A"])])
def test_the_sets_behind_a_route_are_its_own(route, sets):
    assert [each.set for each in card(trained_on=SETS).trained_on_by(route)] == sets


def test_maps_on_demand_are_those_that_take_long():
    outputs = (OutputSpec("score", "map"), OutputSpec("occlusion", "map"))
    assert card(outputs=outputs).on_demand == ("occlusion",)


@pytest.mark.parametrize(("extra", "of_variants"), [({"runs": 5, "sd": 0.1}, True), ({}, False)])
def test_a_row_that_is_the_mean_of_runs_is_of_variants_not_of_the_weights(extra, of_variants):
    assert Figure("mae", 4.0, "ixi", extra=extra).is_of_variants == of_variants
