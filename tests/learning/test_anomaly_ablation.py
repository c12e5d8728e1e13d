"""Variants on folds: what each changes, that they share weights, and what they are scored on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from brains import head, write_ixi, write_nifti

from medview.domain.ablation import AblateRequest
from medview.domain.errors import UsageError
from medview.domain.progress import Silent
from medview.learning import anomaly_ablation
from medview.learning.ablation import ablate
from medview.learning.anomaly_ablation import VARIANTS, AnomalyStudy, recipe_of
from medview.services.recipes import read_recipe, shipped_recipe

NAMES = ("IXI012-HH-1211", "IXI013-HH-1212")
TINY = (
    *("epochs=1", "steps=1", "batch=2", "attention_batch=2", "val_slices=3", "bfloat16=false"),
    *("attention_from=2.0", "network.attention=false"),
)


pytestmark = pytest.mark.usefixtures("narrow", "few_choices")


@pytest.fixture(scope="module")
def brains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ixi-t1")
    write_ixi(folder, *NAMES)
    return folder


def asked(brains, out, *variants, **more):
    recipe = read_recipe("anomaly", None, TINY)
    return AblateRequest(
        "anomaly", (str(brains),), str(out), recipe, variants, folds=2, device="auto", **more
    )


@pytest.fixture(scope="module")
def one(brains, tmp_path_factory, narrow, few_choices):
    """The study, which is asked of one variant after the other as ``ablate`` does."""
    return AnomalyStudy(Silent(), asked(brains, tmp_path_factory.mktemp("out")))


def run(one, variant, **settings):
    return one.run(Silent(), variant, settings, 0, "1")


def test_the_left_out_brain_is_scored_by_slice_and_pixel(one):
    by_slice, by_pixel, cost = run(one, "default")
    assert (cost.names, cost.subset) == (("cpu_ms_per_slice",), "all")
    assert cost.score[0] > 0
    assert (by_slice.level, by_slice.names) == ("slice", ("roc_auc", "pr_auc"))
    assert set(by_slice.patients) == {"IXI012"}
    assert set(by_slice.truth) == {0.0, 1.0}
    assert len(by_slice.truth) == len(by_slice.score) == len(by_slice.cases)
    assert by_pixel.cases == (NAMES[0],)
    assert 0 <= by_pixel.score[0] <= 1


def test_scores_of_the_same_weights_train_once_and_share_lesions(one, monkeypatch):
    elsewhere = []
    monkeypatch.setattr(anomaly_ablation, "scored_marked", lambda *asked: elsewhere.append(1) or ())
    first = run(one, "default")
    scores = {first[0].score}
    monkeypatch.setattr(AnomalyStudy, "_train", None)
    for name, variant in VARIANTS.items():
        if not variant.recipe and variant.samples <= 5:
            found = run(one, name)
            assert found[0].truth == first[0].truth
            assert found[0].cases == first[0].cases
            scores.add(found[0].score)
    # Of scores of the same weights only the default is asked of other sets, too.
    assert len(elsewhere) == 2
    # What has learnt nothing has hardly any epistemic part: leaving it out may change nothing.
    assert len(scores) >= sum(not v.recipe and v.samples <= 5 for v in VARIANTS.values()) - 2


def test_other_ways_to_draw_are_of_the_same_weights(one, monkeypatch):
    shipped = run(one, "default")
    monkeypatch.setattr(AnomalyStudy, "_train", None)
    for name in ("mirrored", "not-balanced"):
        other = run(one, name)
        assert other[0].truth == shipped[0].truth
        assert other[0].score != shipped[0].score
    assert run(one, "default")[0].score == shipped[0].score


def test_heads_as_they_lie_are_asked_of_the_same_weights(one, monkeypatch):
    first = run(one, "default")
    read, load = [], anomaly_ablation.load_normals

    def watched(job, subsets, *, upright, turned):
        read.append((upright, turned))
        return load(job, subsets, upright=upright, turned=turned)

    monkeypatch.setattr(anomaly_ablation, "load_normals", watched)
    lying = run(one, "as-they-lie")
    assert read == [(False, True)]
    assert lying[0].cases == first[0].cases
    assert lying[0].score == first[0].score  # these heads do not lie turned
    run(one, "default")
    assert read == [(False, True)]


def test_without_spread_one_network_is_judged_with_and_without_its_variance(one, monkeypatch):
    first = run(one, "no-epistemic")
    monkeypatch.setattr(AnomalyStudy, "_train", None)
    second = run(one, "deterministic")
    assert first[0].cases == second[0].cases
    assert first[0].score != second[0].score


def test_draws_without_spread_are_the_mean_of_the_code(one):
    trained = one._trained(Silent(), recipe_of(one._request.recipe, {}), 0, "1")
    still = trained.said(Silent(), 3, False).clean
    assert np.array_equal(still.pictures[0], still.pictures[2])
    moving = trained.said(Silent(), 3, True).clean
    assert not np.array_equal(moving.pictures[0], moving.pictures[2])


def test_a_single_pass_says_what_it_costs_and_how_alike_its_uncertainty_is(
    brains, tmp_path, monkeypatch
):
    drawn, draw = [], anomaly_ablation.draw_slices

    def counted(job, engine, pictures, brain, samples, **more):
        drawn.append(samples * len(pictures))
        return draw(job, engine, pictures, brain, samples, **more)

    # A clock of which every draw of a slice takes a second.
    monkeypatch.setattr(anomaly_ablation, "draw_slices", counted)
    clock = SimpleNamespace(process_time=lambda: sum(drawn))
    monkeypatch.setattr(anomaly_ablation, "time", clock)
    anew = AnomalyStudy(Silent(), asked(brains, tmp_path))
    *_, alike, cost = run(anew, "single-pass")
    assert alike.task == "epistemic part against 5 draws"
    assert -1 <= alike.score[0] <= 1
    assert cost.score == (1000.0,)
    assert run(anew, "default")[-1].score == (5000.0,)


def test_of_a_network_with_attention_it_is_told_where_it_lies(one):
    found = run(one, "default", **{"network.attention": True, "network.heads": 4})
    told = {each.names[0]: each for each in found}
    lifted, gained = told["attention_lift"], told["attention_gain"]
    assert (lifted.subset, lifted.cases) == ("ixi-t1", (NAMES[0],))
    assert lifted.score[0] > 0
    # Next to nothing was learnt: a lesion hardly turns the attention.
    assert gained.score[0] == pytest.approx(1, abs=0.2)


def test_marked_lesions_of_another_set_are_read_once(brains, tmp_path):
    place = tmp_path / "BraTS20_Training_001"
    brain, lesion = np.where(head() > 100, head(), 0), np.zeros(head().shape, np.uint8)
    lesion[18:22, 22:26, 18:22] = 4
    for name, array in (("t1ce", brain.astype(np.int16)), ("seg", lesion)):
        write_nifti(place / f"{place.name}_{name}.nii.gz", array)
    both = replace(asked(brains, tmp_path / "out"), data=(str(brains), str(tmp_path)))
    one = AnomalyStudy(Silent(), both)
    (case,) = one._elsewhere(Silent())
    assert (case.case.subset, case.case.case) == ("brats2020", place.name)
    assert one._elsewhere(Silent())[0] is case


def test_another_network_is_trained_anew(one):
    default = run(one, "default")
    changed = run(one, "default", **{"network.variance_floor": -3.0})
    assert changed[0].score != default[0].score
    assert changed[0].truth == default[0].truth


def test_every_variant_is_a_recipe_that_can_be_read():
    base = shipped_recipe("anomaly")
    for name, variant in VARIANTS.items():
        changed = recipe_of(base, variant.recipe)
        assert (changed == recipe_of(base, {})) == (not variant.recipe), name
    assert recipe_of(base, {"network.heads": 4}).network.heads == 4
    assert base["network"]["heads"] == 8


def test_leaving_out_sites_makes_no_sense(brains, tmp_path):
    with pytest.raises(UsageError, match="one site each"):
        AnomalyStudy(Silent(), asked(brains, tmp_path, leave_out="site"))


def test_a_table_says_runs_done_of_runs_planned(brains, tmp_path):
    body = ablate(Silent(), asked(brains, tmp_path, "rule-residual"))
    assert (body["runs_done"], body["runs_planned"]) == (4, 4)
    rows = {(row["variant"], row["name"]): row for row in body["rows"]}
    assert rows["rule-residual", "pixel_precision"]["difference"] is not None
    assert {"roc_auc", "pr_auc", "pixel_precision"} <= {name for _, name in rows}
