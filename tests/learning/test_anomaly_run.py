"""A whole run: maps where they belong, numbers that fit each other, refusals in plain words.

Geometry is tried with a stand-in for the network that expects black everywhere, so that whatever
is bright is what stands out.
"""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from oblique import oblique
from phantoms import (
    MARK_LPS,
    ORIENTATIONS,
    centre_of_mass_mm,
    geometry_of,
    phantom_on,
)
from scipy.spatial.transform import Rotation
from throwaway import NORMALS, small_head, throwaway_weights

from medview.domain.card import ModelCard
from medview.domain.errors import Cancelled, ModelInputError, WeightsError
from medview.domain.prediction import InputRef, RunRequest
from medview.domain.progress import Silent
from medview.domain.volume import Note, Volume
from medview.learning import anomaly_run, devices, upright_slices
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_maps import EPSILON
from medview.learning.anomaly_scores import slice_scores, volume_score
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.predict import run
from medview.learning.upright import Pose
from medview.models.anomaly_vae import LATENT

pytestmark = pytest.mark.usefixtures("narrow")

MAPS = ["score", "residual", "epistemic", "aleatoric", "total", "brain", "seen"]


class Black:
    """Expects black, is always equally sure."""

    def encode(self, x):
        return torch.zeros(len(x), LATENT), torch.zeros(len(x), LATENT)

    def decode(self, z):
        shape = (len(z), 1, 128, 128)
        return torch.zeros(shape), torch.full(shape, -3.0)


class Listener(Silent):
    """Keeps what a run sends ahead, and asks to stop after so many parts."""

    def __init__(self, stop_after=None):
        self.parts, self.texts, self.stop_after = [], [], stop_after

    def partial(self, payload):
        self.parts.append(payload)

    def report(self, done, total, text=""):
        self.texts.append(text)

    def check(self):
        if self.stop_after is not None and len(self.parts) >= self.stop_after:
            raise Cancelled("stopped")


@pytest.fixture
def black(monkeypatch):
    """The stand-in for the network, and a threshold in place of the network for the brain."""
    card = ModelCard(
        "anomaly",
        "1",
        "t",
        "s",
        (),
        (),
        (),
        "u",
        (),
        "l",
        "s",
        settings={"normal_scores": [0.0], "normal_peaks": [0.0, 5.0]},
    )
    settings = AnomalySettings(threshold=1.0, residual_threshold=0.9, samples=2)
    monkeypatch.setattr(anomaly_run, "load_anomaly", lambda path, device: (Black(), card, settings))
    monkeypatch.setattr("medview.learning.anomaly_engine.FusedVae", lambda model: model)
    monkeypatch.setattr("medview.learning.brain.find_brain", lambda head, ml: (head > 0, False))
    # test_tilt asks how heads lie; here it would take a second each time, and say nothing.
    monkeypatch.setattr(anomaly_run, "tilt_notes", lambda volume, mask: ())


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(throwaway_weights(tmp_path_factory.mktemp("weights")))


def asked(volume, role="t1", **fields):
    return RunRequest("anomaly", {role: volume}, (reference(role),), device="cpu", **fields)


def reference(role):
    return InputRef(role, "1.2", "1.2.3", 0, "", (1, 1, 1))


def head_on(code):
    return phantom_on(oblique() if code == "oblique" else geometry_of(code))


@pytest.mark.parametrize("code", [*ORIENTATIONS, "oblique"])
def test_the_bright_cube_is_found_where_it_lies_in_the_patient(code, black):
    volume, heard = head_on(code), Listener()
    found = run(heard, asked(volume))
    assert [item.name for item in found.maps] == MAPS
    for item in found.maps:
        assert item.geometry.same_grid(volume.geometry, tolerance_mm=1e-6)
        assert item.array.shape == volume.array.shape
    score = np.asarray(found.map("score").array)
    assert centre_of_mass_mm(score, volume.geometry) == pytest.approx(MARK_LPS, abs=3)
    peak = np.array(np.unravel_index(score.argmax(), score.shape))
    assert np.abs(volume.geometry.to_mm(peak) - MARK_LPS).max() < 9 + 3
    assert found.findings[0].centroid_lps == pytest.approx(MARK_LPS, abs=4)
    assert volume.geometry.to_index(MARK_LPS)[0] == pytest.approx(found.findings[0].slice, abs=2)
    best = max(found.slices, key=lambda row: row.score)
    assert best.position_mm == pytest.approx(MARK_LPS[2], abs=9)
    whole = {part.first: part for part in heard.parts}
    for first, part in whole.items():
        assert np.array_equal(np.moveaxis(score, part.axis, 0)[first], part.array[0])
    assert len(whole) == len(found.slices)


def one_slice(volume, place):
    array = volume.array[place : place + 1]
    return replace(volume, array=array, geometry=replace(volume.geometry, shape=array.shape))


def test_noise_is_looked_for_in_volumes_and_not_in_single_slices(black, monkeypatch):
    looked = []
    monkeypatch.setattr(anomaly_run, "refuse_noise", lambda *given: looked.append(given))
    volume = head_on("RAS")
    run(Silent(), asked(volume))
    assert [given[0] for given in looked] == [volume]
    run(Silent(), asked(one_slice(volume, 12)))
    assert len(looked) == 1


def test_a_run_of_one_slice_needs_brain_in_it_and_says_nothing_of_others(black):
    volume = head_on("RAS")
    array = np.array(volume.array)
    array[:6] = 0
    volume, middle = replace(volume, array=array), len(array) // 2
    assert [row.slice for row in run(Silent(), asked(volume, slice=middle)).slices] == [middle]
    for place in (2, len(array) + 3):
        with pytest.raises(ModelInputError, match="there is no brain in this slice"):
            run(Silent(), asked(volume, slice=place))


def test_a_score_of_a_volume_is_smoothed_across_slices_where_settings_say_so(black, monkeypatch):
    volume = head_on("RAS")
    sharp = run(Silent(), asked(volume))
    model, card, settings = anomaly_run.load_anomaly(None, "cpu")
    wide = replace(settings, volume_mm=10.0)
    monkeypatch.setattr(anomaly_run, "load_anomaly", lambda path, device: (model, card, wide))
    smooth = run(Silent(), asked(volume))
    place = int(sharp.map("score").array.max(axis=(1, 2)).argmax())
    peaks = [np.asarray(each.map("score").array)[place].max() for each in (sharp, smooth)]
    assert peaks[1] < 0.9 * peaks[0]


def test_the_colours_of_a_variance_end_where_few_voxels_are_higher(untrained):
    inside = np.asarray(untrained.map("brain").array) > 0
    for name in ("epistemic", "aleatoric", "total"):
        found = untrained.map(name)
        most = np.percentile(np.asarray(found.array)[inside], 99)
        assert found.range == (0.0, pytest.approx(most)), name


@pytest.fixture
def turned(black, monkeypatch):
    """Heads are shown upright, and are said to lie turned by 20 degrees about two axes."""
    turn = Rotation.from_euler("zx", (12, 16), degrees=True)
    pose = Pose(turn.as_matrix(), float(np.degrees(turn.magnitude())), 0.9)
    monkeypatch.setattr(upright_slices, "pose_in_slices", lambda volume, mask: pose)
    model, card, settings = anomaly_run.load_anomaly(None, "cpu")
    settings = replace(settings, upright=True, volume_mm=3.0)
    monkeypatch.setattr(anomaly_run, "load_anomaly", lambda path, device: (model, card, settings))


FINE = ((40, 42, 46), (3.0, 3.0, 2.8))


@pytest.mark.parametrize("code", [*ORIENTATIONS[::8], "oblique"])
def test_maps_of_a_head_shown_upright_are_back_in_their_places(code, turned):
    shape, spacing_mm = FINE
    geometry = (
        oblique(shape=shape, spacing_mm=spacing_mm)
        if code == "oblique"
        else geometry_of(code, shape, spacing_mm)
    )
    volume, heard = phantom_on(geometry), Listener()
    found = run(heard, asked(volume))
    assert "turned by 20 degrees" in found.preparation[-1]
    score, brain = (np.asarray(found.map(name).array) for name in ("score", "brain"))
    peak = np.where(score > score.max() / 2, score, 0)
    assert centre_of_mass_mm(peak, volume.geometry) == pytest.approx(MARK_LPS, abs=2)
    assert volume.geometry.to_index(MARK_LPS)[0] == pytest.approx(found.findings[0].slice, abs=3)
    assert not score[brain == 0].any()
    best = max(found.slices, key=lambda row: row.score)
    axis = volume.geometry.axis_of[2]
    assert best.slice == pytest.approx(volume.geometry.to_index(MARK_LPS)[axis], abs=3)
    told = [part.first for part in heard.parts]
    assert sorted(told) == [row.slice for row in found.slices]
    assert {each.slice for each in found.slice_passes} == set(told)
    assert all(0 <= row.explained <= 1 for row in found.slices)


def test_one_slice_of_a_head_shown_upright_is_as_in_the_whole(turned):
    volume = phantom_on(geometry_of("LPS", *FINE))
    whole = run(Silent(), asked(volume))
    wanted = whole.slices[len(whole.slices) // 2].slice
    one = run(Silent(), asked(volume, slice=wanted))
    assert len(one.slices) < len(whole.slices)
    for name in ("score", "residual"):
        here, there = (np.asarray(each.map(name).array)[wanted] for each in (one, whole))
        assert here == pytest.approx(there, abs=1e-4)


def test_a_head_that_lies_turned_is_told_with_the_result(black, monkeypatch):
    doubt = Note("OUTSIDE_TRAINING", "the head lies turned")
    monkeypatch.setattr(anomaly_run, "tilt_notes", lambda volume, mask: (doubt,))
    assert doubt in run(Silent(), asked(head_on("LPS"))).warnings


def test_a_patient_who_lies_the_other_way_round_has_the_cube_on_the_same_side(black):
    volume = phantom_on(geometry_of("LPS"))
    mirrored = Volume(volume.array[:, :, ::-1].copy(), volume.geometry)
    here, there = (run(Silent(), asked(one)).findings[0] for one in (volume, mirrored))
    assert here.centroid_lps[0] > 10
    assert there.centroid_lps[0] < -10


@pytest.fixture(scope="module")
def untrained(weights):
    return run(Listener(), asked(small_head(), weights=weights))


def test_written_maps_fit_each_other_voxel_by_voxel(untrained):
    score, residual, epistemic, aleatoric, total, brain, seen = (
        np.asarray(untrained.map(name).array) for name in MAPS
    )
    assert total == pytest.approx(epistemic + aleatoric)
    assert score == pytest.approx(residual / (total + EPSILON), rel=1e-4)
    inside = brain > 0
    assert not score[~inside].any()
    assert not total[~inside].any()
    assert score[inside].max() > 0
    assert 0 < seen.max() <= 1.001
    assert epistemic.max() > 0


def test_slices_and_volume_score_as_in_calibration_and_evaluation(weights, monkeypatch):
    kept, draw_volume = [], anomaly_run.draw_volume

    def watch(*args):
        kept.append(draw_volume(*args))
        return kept[-1]

    monkeypatch.setattr(anomaly_run, "draw_volume", watch)
    found = run(Silent(), asked(small_head(), weights=weights))
    ((drawn, _),) = kept
    settings = AnomalySettings(samples=3)
    scores = slice_scores(drawn.slice_maps(settings), drawn.brain, settings)
    assert [row.score for row in found.slices] == pytest.approx(scores.tolist())
    area = drawn.brain.sum(axis=(1, 2))
    assert found.score("anomaly").value == pytest.approx(volume_score(scores, area))


def test_zeros_added_round_a_volume_move_neither_score_nor_maps(weights):
    plain = small_head()
    head = np.where(np.asarray(plain.array) > 0, plain.array, 1)  # air that is no padding
    wider = ((5, 3), (0, 6), (4, 1))
    affine = plain.geometry.affine.copy()
    affine[:3, 3] = plain.geometry.to_mm((-5.0, 0.0, -4.0))
    array = np.pad(head, wider)
    added = Volume(array, replace(plain.geometry, shape=array.shape, affine=affine))
    one, other = (
        run(Silent(), asked(volume, weights=weights))
        for volume in (replace(plain, array=head), added)
    )
    assert other.score("anomaly").value == pytest.approx(one.score("anomaly").value, abs=1e-9)
    inner = np.asarray(other.map("score").array)[5:-3, :-6, 4:-1]
    assert inner == pytest.approx(np.asarray(one.map("score").array), rel=1e-5)
    assert [row.slice for row in other.slices] == [row.slice + 5 for row in one.slices]


def test_a_finding_says_how_many_normal_brains_hold_one_as_high(black):
    volume = head_on("LPS")
    (found,) = run(Silent(), asked(volume)).findings
    assert (found.normals_as_high, found.normals) == (int(found.peak <= 5.0), 2)
    part = run(Silent(), asked(volume, slice=found.slice)).findings
    assert [each.normals_as_high for each in part] == [None] * len(part)


def test_the_score_comes_with_an_interval_over_draws_and_its_rank_among_normals(untrained):
    score, rank = untrained.score("anomaly"), untrained.score("anomaly_percentile")
    assert score.low < score.value < score.high
    assert rank.value == 100 * np.mean(np.array(NORMALS.scores) < score.value)
    assert rank.status == "extrapolating"  # the slices of this head are 4 mm apart


def test_two_draws_give_no_interval(weights):
    found = run(Silent(), asked(small_head(), weights=weights, samples=2))
    assert (found.score("anomaly").low, found.score("anomaly").high) == (None, None)


def test_one_draw_has_no_epistemic_variance(weights):
    found = run(Silent(), asked(small_head(), weights=weights, samples=1))
    assert not np.asarray(found.map("epistemic").array).any()


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(weights, untrained):
    again = run(Silent(), asked(small_head(), weights=weights))
    other = run(Silent(), asked(small_head(), weights=weights, seed=1))
    for item in untrained.maps:
        assert np.asarray(item.array).tobytes() == np.asarray(again.map(item.name).array).tobytes()
    assert untrained.scores == again.scores
    assert untrained.slices == again.slices
    assert (np.asarray(other.map("score").array) != np.asarray(untrained.map("score").array)).any()


def test_alpha_one_counts_the_residual_alone(weights):
    found = run(Silent(), asked(small_head(), weights=weights, alpha=1.0))
    for row in found.slices:
        assert row.score == pytest.approx(row.residual)  # the norms of these weights are 0 and 1
    assert found.parameters["alpha"] == 1.0


def test_the_result_says_how_it_was_made(untrained, weights):
    told = untrained
    assert (told.model, told.device, told.dtype, told.mode) == (
        "anomaly",
        "cpu",
        "float32",
        "batched",
    )
    assert told.parameters == {
        "samples": 3, "mirrored": False, "balanced": False, "alpha": 0.5, "rule": "ratio",
        "threshold": 6.0, "smooth_px": 1.0, "volume_mm": 0.0, "wide_px": 0.0, "opposite": 0.0,
        "grow": 1.0, "upright": False, "floor": None,
    }  # fmt: skip
    assert len(told.weights_sha256) == 64
    assert told.inputs == (reference("t1"),)
    assert told.seconds > 0
    assert told.peak_memory_mb > 50
    assert len(told.preparation) == 4


@pytest.fixture
def never_sure(black, monkeypatch):
    """The stand-in, which explains nothing, with a floor under which it is not believed."""
    _, card, settings = anomaly_run.load_anomaly(None, "cpu")
    careful = replace(settings, floor=0.1, volume_mm=4.5)
    monkeypatch.setattr(anomaly_run, "load_anomaly", lambda path, device: (Black(), card, careful))


def test_what_the_model_does_not_recognise_gets_neither_map_nor_score(never_sure):
    heard = Listener()
    found = run(heard, asked(head_on("LPS")))
    for name in ("score", "residual", "epistemic", "aleatoric", "total"):
        assert not np.asarray(found.map(name).array).any()
    assert not any(part.array.any() for part in heard.parts)
    assert np.asarray(found.map("brain").array).any()
    assert np.asarray(found.map("seen").array).any()
    assert found.findings == ()
    assert {(one.value, one.low, one.status) for one in found.scores} == {
        (None, None, "not_available")
    }
    assert "did not recognise" in found.scores[0].meaning
    assert [note.code for note in found.warnings][:2] == ["NOT_JUDGED", "OUTSIDE_TRAINING"]
    assert found.parameters["floor"] == 0.1
    assert (found.passes, found.slice_passes) == ((), ())
    assert found.slices
    for row in found.slices:
        assert np.isnan([row.score, row.residual, row.epistemic, row.aleatoric]).all()
        assert row.explained < 0.1


@pytest.mark.parametrize(
    ("blank", "words", "codes"),
    [
        ((), None, []),
        ((0,), "did not recognise 1 of 10 slices", ["NOT_JUDGED"]),
        ((0, 1, 2), "did not recognise 3 of 10 slices", ["NOT_JUDGED", "OUTSIDE_TRAINING"]),
        (range(10), "did not recognise the 10 slices", ["NOT_JUDGED", "OUTSIDE_TRAINING"]),
    ],
)
def test_it_is_told_how_much_was_not_judged(blank, words, codes):
    given = np.ones((10, 128, 128), bool)
    left = given.copy()
    left[list(blank)] = False
    notes = anomaly_run.not_judged(given, SimpleNamespace(brain=left))
    assert [note.code for note in notes] == codes
    assert words is None or words in notes[0].text


def test_a_single_slice_is_told_of_as_one():
    one = np.ones((1, 4, 4), bool)
    [first, second] = anomaly_run.not_judged(one, SimpleNamespace(brain=~one))
    assert "did not recognise the slice:" in first.text
    assert second.text.startswith("the whole of the brain is not like")


def test_progress_counts_slices(weights):
    heard = Listener()
    found = run(heard, asked(small_head(), weights=weights, samples=1))
    assert heard.texts[0] == "finding the brain"
    count = len(found.slices)
    assert heard.texts[-2:] == [
        f"slice {count} / {count}",
        "putting maps and findings together",
    ]


def test_a_run_can_be_stopped_between_blocks(weights):
    heard = Listener(stop_after=1)
    with pytest.raises(Cancelled):
        run(heard, asked(small_head(), weights=weights, samples=1))
    assert len(heard.parts) == 4


@pytest.fixture
def low(monkeypatch):
    """A machine that has bfloat16 products, whatever this one has."""
    monkeypatch.setattr(devices, "multiplies_bfloat16", lambda device: True)


def test_half_precision_is_named_and_close(weights, untrained, low):
    quick = run(Silent(), asked(small_head(), weights=weights, precision="bfloat16"))
    assert quick.dtype == "bfloat16"
    exact = untrained.score("anomaly").value
    assert quick.score("anomaly").value == pytest.approx(exact, rel=0.05)


def test_half_precision_without_products_of_it_is_float32_and_told(weights, untrained, monkeypatch):
    monkeypatch.setattr(devices, "multiplies_bfloat16", lambda device: False)
    found = run(Silent(), asked(small_head(), weights=weights, precision="bfloat16"))
    assert found.dtype == "float32"
    assert found.score("anomaly") == untrained.score("anomaly")
    assert [note.text for note in found.warnings if note.code == "PRECISION"] == [
        "computed in float32: this processor has no bfloat16 products, and float32 is faster here"
    ]
    assert not [note for note in untrained.warnings if note.code == "PRECISION"]


def test_contrast_and_thick_slices_are_outside_training(weights):
    found = run(Silent(), asked(small_head(), "t1ce", weights=weights, samples=1))
    texts = [note.text for note in found.warnings if note.code == "OUTSIDE_TRAINING"]
    assert any("without contrast" in text for text in texts)
    assert any("4.0 mm apart" in text for text in texts)
    assert found.score("anomaly").status == "extrapolating"


def test_t1_is_taken_where_both_are_given(weights):
    volumes = {"t1ce": phantom_on(geometry_of()), "t1": small_head()}
    both = replace(asked(small_head(), weights=weights, samples=1), volumes=volumes)
    assert run(Silent(), both).map("score").array.shape == (24, 32, 28)


def of_slices(count, apart_mm=2.0):
    """A volume of so many axial slices."""
    geometry = geometry_of("LPS", (count, 9, 10), (apart_mm, 1.0, 1.0))
    return Volume(np.zeros(geometry.shape, np.int16), geometry, modality="MR")


@pytest.mark.parametrize(
    ("count", "apart_mm", "codes"),
    [
        (20, 3.0, []),
        (20, 3.1, ["OUTSIDE_TRAINING"]),
        (5, 2.0, []),
        (4, 2.0, ["FEW_SLICES"]),
        (4, 9.0, ["FEW_SLICES"]),
    ],
)
def test_few_slices_and_slices_far_apart_are_told(count, apart_mm, codes):
    volume = of_slices(count, apart_mm)
    notes = anomaly_run._warnings(volume, "t1")
    assert [note.code for note in notes] == codes
    beside = anomaly_run._warnings(volume, "t1ce")
    assert len(beside) == len(notes) + 1


@pytest.mark.parametrize("spacing_mm", [(3, 3, 6), (3, 6, 3), (6, 3, 3)])
def test_slices_far_apart_are_told_whichever_way_they_were_cut(spacing_mm):
    volume = Volume(np.zeros((20, 20, 20), np.int16), geometry_of("LPS", (20, 20, 20), spacing_mm))
    (note,) = anomaly_run._warnings(volume, "t1")
    assert note.text == "slices are 6.0 mm apart; trained on 1 to 2 mm"


def test_a_single_slice_is_called_so_and_few_are_counted():
    said = [anomaly_run._warnings(of_slices(n), "t1")[0].text.split(":")[0] for n in (1, 3)]
    assert said == ["a single slice", "3 slices only"]


def test_the_brain_of_the_same_pixels_is_looked_for_once(monkeypatch):
    asked_for = []
    monkeypatch.setattr(anomaly_run, "prepare", lambda volume: asked_for.append(volume) or volume)
    monkeypatch.setattr(anomaly_run, "_LAST", {})
    volume = of_slices(6)
    turned = replace(volume, geometry=of_slices(6, 4.0).geometry)

    def looked_for(sha256, one):
        given = replace(reference("t1"), sha256=sha256)
        anomaly_run._head(RunRequest("anomaly", {"t1": one}, (given,)), "t1", one)
        return len(asked_for)

    assert [looked_for("a", volume), looked_for("a", volume)] == [1, 1]
    assert [looked_for("a", turned), looked_for("b", turned)] == [2, 3]
    assert [looked_for("", turned), looked_for("", turned)] == [4, 5]  # of pixels not known


SMALL = geometry_of(shape=(8, 9, 10), spacing_mm=(3, 3, 3))


def of_values(array):
    return {"volumes": {"t1": Volume(array, SMALL)}}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model": "nothing"}, "no model called nothing"),
        ({"volumes": {"t2": small_head()}}, "needs a T1 volume"),
        ({"samples": 101}, "101 draws of the model are too many"),
        ({"device": "cuda:9"}, "no GPU"),
        (of_values(np.full((8, 9, 10), 5)), "the same"),
        (of_values(np.zeros((8, 9, 10, 3), np.uint8)), "colour"),
        (of_values(np.arange(720).reshape(8, 9, 10)), "no brain"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(change, says, weights):
    with pytest.raises(ModelInputError, match=says) as caught:
        run(Silent(), replace(asked(small_head(), weights=weights), **change))
    assert caught.value.do


def test_missing_weights_are_told_before_anything_is_computed(tmp_path):
    with pytest.raises(WeightsError):
        run(Silent(), asked(small_head(), weights=str(tmp_path / "weights.safetensors")))


def test_an_engine_for_speed_joins_norms_and_takes_blocks_by_device(weights):
    model, *_ = anomaly_run.load_anomaly(Path(weights))
    engine = Engine.fast(model)
    assert type(engine.model).__name__ == "FusedVae"
    assert (engine.batch, engine.draws) == (4, 20)
    assert Engine.fast(model, "cuda:0").batch == 64
