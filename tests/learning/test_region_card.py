"""What the cards say of the regions and of the way from a T1 volume to an age."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from region_heads import people

from medview.domain.card import TrainedOn
from medview.learning.patients import patient_hash
from medview.learning.region_age import VolumeError, fit_age
from medview.learning.region_card import Trained, command_of, make_card, with_image_route
from medview.learning.region_people import Ages, Table, age_rows
from medview.learning.region_trainer import RegionRecipe
from medview.learning.subset import Subset, TrainCase
from medview.models.region_net import RegionOptions

ML, AGE = people(30)
TABLE = Table(tuple(f"p{n}" for n in range(30)), ML, AGE)
AGES = Ages(("a", "b"), np.array([40.0, 60.0]), np.array([50.0, 50.0]), np.array([5.0, 5.0]))


def _card():
    model = fit_age(ML, AGE, VolumeError.none())
    rows = age_rows(AGES, "elderly-t1", "model")
    trained = Trained([], [], TABLE, RegionRecipe(sets="ixi-t1"), RegionOptions())
    return make_card(trained, model, rows)


def test_the_card_names_who_was_seen_and_how_far_off_others_are() -> None:
    card = _card()
    assert patient_hash("p7") in card.seen_patients
    assert card.inputs == ()
    assert any("elderly-t1" in line and "10.0 years" in line for line in card.limits)
    assert any("not the adversarial autoencoder" in line for line in card.method)
    assert all(figure.command.startswith("medview train region-net") for figure in card.measured)


def test_the_command_of_the_figures_names_sets_and_epochs_that_are_not_the_usual_ones() -> None:
    usual = RegionRecipe()
    shorter = replace(usual, sets="mine", epochs=60)
    assert command_of(shorter) == f"{command_of(usual)} --set sets=mine --set epochs=60"
    assert command_of(usual) == "medview train region-net --data ../shared/data --out DIR"
    assert command_of(replace(usual, sets="mine")) == f"{command_of(usual)} --set sets=mine"


def test_the_licence_of_the_route_stands_beside_that_of_the_age_weights() -> None:
    plain, regions = replace(_card(), licence="free"), replace(_card(), licence="research")
    once = with_image_route(plain, regions)
    assert once.licence == "free; from a T1 volume: research"
    assert with_image_route(once, regions).licence == once.licence
    assert with_image_route(once, plain).licence == "free"


def test_the_brain_age_card_tells_of_the_t1_route_once() -> None:
    plain = replace(
        _card(), id="brain-age", limits=("Weak.",), method=(), measured=(), licence="none"
    )
    seen = (TrainedOn("ixi-t1", 7, "", "ages 23-51 y"),)
    regions = replace(_card(), trained_on=seen, trained_at="2026-03-01")
    once = with_image_route(plain, regions)
    twice = with_image_route(once, regions)
    assert once == twice
    assert [spec.role for spec in once.inputs] == ["t1"]
    assert once.limits[0] == "Weak."
    assert all(line.startswith("From a T1 volume:") for line in (*once.limits[1:], *once.method))
    assert "From a T1 volume: its truth are labels of DLMUSE" in once.method[0]
    assert once.method[-1] == "From a T1 volume: its weights were trained on 01 Mar 2026."
    assert {f.extra["route"] for f in once.measured} == {"t1"}
    assert [each.note for each in once.trained_on_by("t1")] == ["From a T1 volume: ages 23-51 y"]
    assert once.trained_on_by(None) == plain.trained_on
    assert any(output.name == "regions" and output.kind == "map" for output in once.outputs)


def test_the_card_tells_of_each_set_what_learnt_from_it(tmp_path) -> None:
    case = TrainCase("a", "p0", {}, "t1", "heads", age_years=70.0)
    sets = [Subset(name, "ixi-roi-2mm", tmp_path, (case,)) for name in ("heads", "table")]
    table = replace(TABLE, sets=("table",) * 29 + ("heads",))
    model = fit_age(ML, AGE, VolumeError.none())
    notes = {
        name: [
            each.note
            for each in make_card(
                Trained(sets, [], told, RegionRecipe(sets="heads"), RegionOptions()), model, []
            ).trained_on
        ]
        for name, told in (("both", table), ("apart", replace(TABLE, sets=("table",) * 30)))
    }
    assert notes["both"] == ["ages 70-70 y; network and age model", "ages 70-70 y; age model"]
    assert notes["apart"][0] == "ages 70-70 y; network"
