"""The shipped weights on real brains: what a lesion, a skull and chance do to the answer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform
from scipy.spatial.transform import Rotation

from medview.domain.prediction import InputRef, RunRequest
from medview.domain.progress import Silent
from medview.domain.volume import Volume
from medview.io.cards import WEIGHTS
from medview.learning.anomaly_draw import Asked, draw_volume
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_run import run_anomaly
from medview.learning.anomaly_scores import rimless
from medview.learning.brain import prepare
from medview.learning.calibrate import draw_slices
from medview.learning.cases import brain_of, find_subsets, prepare_case
from medview.learning.grid import PIXEL_MM
from medview.learning.images import read_image
from medview.learning.lesions import draw_lesion
from medview.learning.scoring import (
    ask_model,
    model_scorer,
    model_scores,
    slices_of,
    together,
    trivial_scorer,
)
from medview.learning.synthetic import HeldOut, solid, try_lesions
from medview.learning.synthetic_rows import synthetic_rows
from medview.learning.upright_slices import cut_upright
from medview.learning.weights import load_anomaly, save

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here"),
]


@pytest.fixture(scope="module")
def weights():
    model, card, settings = load_anomaly(None)
    return model, card, replace(settings, samples=3)


def normal_cases(count):
    """Some normal brains of each set, the first ones."""
    subsets = [s for s in find_subsets((str(DATA),), "anomaly") if s.is_normal]
    return [case for s in subsets if not s.training_only for case in s.cases[:count]]


@pytest.fixture(scope="module")
def brains():
    """Two normal brains, one of each set."""
    return [prepare_case(case) for case in normal_cases(1)]


def shuffled(model, seed, part=""):
    """The network with the values of each tensor in another order, of one layer or of all."""
    rng = np.random.default_rng(seed)
    mixed = type(model)(model.options)
    state = {
        name: torch.from_numpy(rng.permutation(value.numpy().ravel()).reshape(value.shape))
        if value.is_floating_point() and "running" not in name and name.startswith(part)
        else value
        for name, value in model.state_dict().items()
    }
    mixed.load_state_dict(state)
    return mixed.eval()


def figures(network, settings, brains):
    """The model's rows on synthetic lesions in these brains, by level, name and group."""
    engine = Engine.fast(network, drawing=settings)
    scorer = together(model_scorer(engine, settings), trivial_scorer)
    held = [HeldOut(one, scorer) for one in brains]
    rows = synthetic_rows(try_lesions(Silent(), held, draws=2))
    both = "+".join(dict.fromkeys(one.case.subset for one in brains))
    return {
        (r.level, r.name, r.group): r
        for r in rows
        if (r.predictor, r.subset) == ("model", both) and r.truth != "normal brains"
    }


@pytest.fixture(scope="module")
def shipped(weights, brains):
    model, _, settings = weights
    return figures(model, settings, brains)


AREAS = (("slice", "all"), ("slice", "within:volume"), ("slice", "twin"), ("case", "twin"))


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_weights_are_at_chance(weights, brains, seed):
    model, _, settings = weights
    found = figures(shuffled(model, seed), settings, brains)
    for level, group in AREAS:
        assert found[level, "roc_auc", group].value == pytest.approx(0.5, abs=0.02)
    pixels = found["pixel", "pr_auc", "all"]
    assert pixels.value == pytest.approx(pixels.prevalence, rel=0.1)
    assert found["slice", "judged_rate", "all"].value < 0.02


def test_the_shipped_weights_judge_nearly_all_and_are_far_from_chance(shipped):
    assert shipped["slice", "judged_rate", "all"].value > 0.95
    assert shipped["slice", "roc_auc", "all"].value > 0.65
    assert shipped["slice", "roc_auc", "twin"].value > 0.65
    assert shipped["pixel", "pr_auc", "all"].value > 0.3


def test_even_if_every_slice_is_judged_the_trained_network_adds_to_a_shuffled_one(
    weights, brains, shipped
):
    model, _, settings = weights
    found = figures(shuffled(model, 0), replace(settings, floor=None), brains)
    assert found["slice", "judged_rate", "all"].value == 1
    for level, name in (("slice", "roc_auc"), ("pixel", "pr_auc")):
        # It finds spots, as a filter would: the floor is what brings it to chance.
        assert 0.5 * (name == "roc_auc") < found[level, name, "all"].value
        assert found[level, name, "all"].value < shipped[level, name, "all"].value - 0.03


@pytest.mark.parametrize("part", ["", "encoder.1", "to_mean", "decoder.3", "mean_head"])
def test_damaged_weights_are_told(weights, tmp_path, part):
    model, card, _ = weights
    save(shuffled(model, 0, part) if part else model, card, tmp_path)
    case = normal_cases(1)[-1]
    asked = RunRequest(
        "anomaly",
        {"t1": read_image(case.image)},
        (InputRef("t1", "1", "1.1", 0, "", (1, 1, 1)),),
        device="cpu",
        samples=2,
        weights=str(tmp_path / WEIGHTS),
    )
    found = run_anomaly(Silent(), asked)
    codes = {note.code for note in found.warnings}
    assert ("OUTSIDE_TRAINING" in codes) == bool(part)
    if part:
        blank = np.mean([np.isnan(row.score) for row in found.slices])
        assert blank > 0.25
        assert "NOT_JUDGED" in codes


def test_a_pasted_lesion_raises_the_map_there_and_not_elsewhere(weights):
    model, _, settings = weights
    whole = slices_of(prepare_case(normal_cases(1)[0]).prepared)
    middle = len(whole) // 2
    rng = np.random.default_rng(3)
    lesion = next(
        le
        for le in (draw_lesion(whole.brain[middle], rng) for _ in range(50))
        if le and le.radius_px > 8 and abs(le.contrast) > 0.4
    )
    touched = solid(lesion, whole.index, middle, 2.0 / PIXEL_MM)
    pictures = whole.pictures.copy()
    for row, one in touched.items():
        pictures[row] = one.paste(pictures[row], whole.brain[row])
    engine = Engine.fast(model, drawing=settings)
    maps = []
    for shown in (whole, whole.showing(pictures)):
        said = ask_model(engine, shown, settings.samples)
        maps.append(model_scores(shown, said, settings)["model"].pixels)
    clean, sick = maps
    inner = rimless(whole.brain)
    there = np.zeros(inner.shape, bool)
    there[list(touched)] = np.stack([one.truth for one in touched.values()])
    there &= inner
    rows, columns = np.indices((128, 128))
    row, column = np.argwhere(lesion.truth).mean(0)
    far = inner & (np.hypot(rows - row, columns - column) > 40)[None]
    untouched = np.setdiff1d(np.arange(len(whole)), list(touched))
    assert sick[there].mean() > 3 * clean[there].mean()
    assert sick[far].mean() == pytest.approx(clean[far].mean(), rel=0.1)
    assert np.array_equal(sick[untouched], clean[untouched])


def test_with_and_without_skull_one_brain_scores_alike(weights):
    model, card, settings = weights
    engine = Engine.fast(model, drawing=settings)
    sd = float(np.std(card.settings["normal_scores"]))
    apart = {}
    for case in normal_cases(2):
        volume = read_image(case.image)
        mask = brain_of(case, volume)
        stripped = replace(volume, array=np.where(mask, volume.array, 0).astype(volume.array.dtype))
        scores = []
        for one in (volume, stripped):
            prepared = prepare(one)
            kept = prepared.scored
            drawn = draw_slices(
                Silent(), engine, prepared.slices[kept], prepared.brain[kept], settings.samples
            )
            scores.append(drawn.volume_score(settings))
        assert prepared.skull_stripped
        apart[case.case] = (scores[0] - scores[1]) / sd
    print({name: round(value, 2) for name, value in apart.items()})
    assert max(map(abs, apart.values())) < 1


def test_a_bare_brain_after_contrast_keeps_its_lesion():
    """The network of the mask leaves the metastasis and the midline of this volume out."""
    volume = read_image(DATA / "mri3d/tumour/BraTS-MET-00110-000/BraTS-MET-00110-000-t1c.nii.gz")
    found = prepare(volume)
    assert found.skull_stripped
    assert found.mask[volume.array > 0].mean() > 0.99


def test_with_and_without_skull_one_brain_scores_the_same_within_the_spread_of_normals():
    case = normal_cases(1)[0]
    volume = read_image(case.image)
    bare = Volume(np.where(brain_of(case, volume), volume.array, 0), volume.geometry)
    model, card, settings = load_anomaly(None)
    engine, scores, masks = Engine.fast(model, drawing=settings), [], []
    for one in (volume, bare):
        found = prepare(one)
        masks.append(found.mask)
        asked = Asked.of(found, cut_upright(one, found))
        drawn, _ = draw_volume(Silent(), engine, asked, settings, 0)
        scores.append(drawn.volume_score(settings))
    assert 2 * (masks[0] & masks[1]).sum() / (masks[0].sum() + masks[1].sum()) > 0.95
    assert abs(scores[0] - scores[1]) < np.std(card.settings["normal_scores"], ddof=1)


def test_a_head_turned_in_its_slices_scores_as_it_did():
    volume = read_image(normal_cases(1)[0].image)
    array = np.asarray(volume.array, dtype=np.float32)
    about_left = Rotation.from_euler("z", 20, degrees=True).as_matrix()[::-1, ::-1]
    middle = (np.array(array.shape) - 1) / 2
    turned = affine_transform(array, about_left, middle - about_left @ middle, order=1)
    found = [
        run_anomaly(Silent(), RunRequest("anomaly", {"t1": one}, ()))
        for one in (volume, replace(volume, array=turned))
    ]
    assert any("turned by" in step for step in found[1].preparation)
    one, other = (each.score("anomaly").value for each in found)
    assert abs(one - other) < 0.6
