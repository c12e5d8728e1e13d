"""What the cards say of the regions and of the way from a T1 volume to an age."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from region_heads import people

from medview.domain.card import TrainedOn
from medview.learning.metrics import MetricRow
from medview.learning.region_age import VolumeError, fit_age
from medview.learning.region_card import Trained, make_card, with_image_route
from medview.learning.region_measure import Ages, Table, age_rows
from medview.learning.region_trainer import RegionRecipe
from medview.learning.weights import patient_hash
from medview.models.region_net import RegionOptions

ML, AGE = people(30)
TABLE = Table(tuple(f"p{n}" for n in range(30)), ML, AGE)
AGES = Ages(("a", "b"), np.array([40.0, 60.0]), np.array([50.0, 50.0]), np.array([5.0, 5.0]))


def _card():
    model = fit_age(ML, AGE, VolumeError.none())
    rows = age_rows(AGES, "elderly-t1", "model")
    trained = Trained([], [], TABLE, RegionRecipe(), RegionOptions())
    return make_card(trained, model, rows)


def test_the_card_names_who_was_seen_and_how_far_off_others_are() -> None:
    card = _card()
    assert patient_hash("p7") in card.seen_patients
    assert card.inputs == ()
    assert any("elderly-t1" in line and "10.0 years" in line for line in card.limits)
    assert any("not the adversarial autoencoder" in line for line in card.method)
    assert all(figure.command.startswith("medview train region-net") for figure in card.measured)


def test_what_the_error_of_the_volumes_does_is_said_and_where_ages_are_not_followed() -> None:
    def told(predictor: str, value: float) -> MetricRow:
        return MetricRow(predictor, "case", "mae", "ixi-t1", value, 7, 7)

    apart = [told("model", 9.1), told("uncorrected volumes", 8.5), told("label volumes", 5.6)]
    odd = np.array([40.0, 50.0, 60.0, 70.0])
    flat = Ages(("a", "b", "c", "d"), odd, odd[::-1] + 0.0, np.full(4, 5.0), np.full(4, 2.0))
    rows = [*apart, *age_rows(flat, "elderly-t1", "model")]
    trained = Trained([], [], TABLE, RegionRecipe(), RegionOptions())
    made = make_card(trained, fit_age(ML, AGE, VolumeError.none()), rows)
    said = " ".join(made.limits)
    assert "left-out heads of ixi-t1 is off by 9.1 years on average." in said
    assert "off by 8.5 years, from the volumes of the labels by 5.6" in made.method[-1]
    assert "does not follow their ages (r -1.00). Of 100 % of them" in said


def test_what_is_found_worst_comes_from_the_figures() -> None:
    def row(name: str, group: str, value: float, subset: str = "ixi-t1") -> MetricRow:
        return MetricRow("model", "case", name, subset, value, 7, 7, group=f"group:{group}")

    rows = [
        *(row("dice", "thalamus", 0.9), row("dice", "ventricles", 0.8)),
        *(row("dice", "fluid", 0.5), row("dice", "stem", 0.1, "elderly-t1")),
        *(row("volume_bias", "thalamus", 2.0), row("volume_bias", "fluid", -17.6)),
    ]
    trained = Trained([], [], None, RegionRecipe(), RegionOptions())
    said = " ".join(make_card(trained, None, rows).limits)
    assert "fluid (Dice 0.50) and ventricles (Dice 0.80)" in said
    assert "fluid, 18 % too small" in said
    assert "stem" not in said


def test_the_brain_age_card_tells_of_the_t1_route_once() -> None:
    plain = replace(
        _card(), id="brain-age", limits=("Weak.",), method=(), measured=(), licence="none"
    )
    regions = replace(_card(), trained_on=(TrainedOn("ixi-t1", 7, "", "ages 23-51 y"),))
    once = with_image_route(plain, regions)
    twice = with_image_route(once, regions)
    assert once == twice
    assert [spec.role for spec in once.inputs] == ["t1"]
    assert once.limits[0] == "Weak."
    assert all(line.startswith("From a T1 volume:") for line in (*once.limits[1:], *once.method))
    assert "From a T1 volume: its truth are labels of DLMUSE" in once.method[0]
    assert {f.extra["route"] for f in once.measured} == {"t1"}
    assert [each.note for each in once.trained_on_by("t1")] == ["From a T1 volume: ages 23-51 y"]
    assert once.trained_on_by(None) == plain.trained_on
    assert any(output.name == "regions" and output.kind == "map" for output in once.outputs)
