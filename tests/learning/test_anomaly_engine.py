"""The network at work: the same answers whatever the blocks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from discs import slices
from nearness import assert_near
from vae_draws import draw

from medview.domain.errors import Cancelled
from medview.domain.progress import Silent
from medview.learning.anomaly_engine import Engine, balanced, noise_for, run_slices
from medview.learning.anomaly_recipe import Recipe
from medview.learning.anomaly_settings import AnomalySettings
from medview.models.anomaly_vae import LATENT, AnomalyVae, VaeOptions


@pytest.fixture(scope="module")
def model(narrow):
    torch.manual_seed(0)
    return AnomalyVae(VaeOptions(attention=False)).eval()


def test_noise_depends_on_seed_and_slice_only():
    first, more = noise_for(4, 3, 7), noise_for(6, 3, 7)
    assert first.shape == (3, 4, LATENT)
    assert torch.equal(more[:, :4], first)
    assert not torch.equal(noise_for(4, 3, 8), first)
    assert abs(float(noise_for(50, 5, 0).std()) - 1) < 0.02


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_the_answer_does_not_depend_on_the_size_of_the_blocks(model, batch):
    noise = noise_for(5, 3, 0)
    whole = run_slices(Engine(model, batch=5), slices(), noise, Silent())
    parts = run_slices(Engine(model, batch=batch), slices(), noise, Silent())
    for one, other in zip(whole, parts, strict=True):
        assert_near(other, one, within=1e-5)


def test_the_same_noise_gives_the_same_answer_and_another_does_not(model):
    one, again = (run_slices(Engine(model), slices(2), noise_for(2, 2, 0), Silent()) for _ in "ab")
    other = run_slices(Engine(model), slices(2), noise_for(2, 2, 1), Silent())
    assert np.array_equal(one[0], again[0])
    assert not np.array_equal(one[0], other[0])


def test_the_engine_draws_what_the_network_draws(model):
    noise = noise_for(3, 4, 0)
    pictures, aleatoric = run_slices(Engine.fast(model), slices(3), noise, Silent())
    with torch.inference_mode():
        wanted = draw(model, torch.from_numpy(slices(3))[:, None], noise)
    assert_near(pictures.mean(0), wanted.mean[:, 0].numpy(), within=1e-5)
    assert_near(pictures.var(0), wanted.epistemic[:, 0].numpy(), within=1e-6)
    assert_near(aleatoric, wanted.aleatoric[:, 0].numpy(), rel=1e-3)


@pytest.mark.parametrize("samples", [1, 2, 5])
def test_every_other_draw_is_of_the_mirror_image_mirrored_back(model, samples):
    given, noise = slices(3), noise_for(3, samples, 0)
    mirror = np.ascontiguousarray(given[:, :, ::-1])
    straight, turned = (run_slices(Engine(model), x, noise, Silent())[0] for x in (given, mirror))
    wanted = [turned[k, :, :, ::-1] if k % 2 else straight[k] for k in range(samples)]
    found, _ = run_slices(Engine(model, mirrored=True), given, noise, Silent())
    assert_near(found, np.stack(wanted), within=1e-5)
    assert samples == 1 or abs(found[1] - straight[1]).max() > 1e-3


@pytest.mark.parametrize(("mirrored", "samples"), [(False, 5), (True, 5), (True, 2), (False, 1)])
def test_balanced_draws_have_noise_with_a_mean_of_0_of_the_spread_of_plain_ones(mirrored, samples):
    noise, sides = noise_for(400, samples, 0), 1 + mirrored
    found = balanced(noise, sides)
    for side in range(sides):
        part = found[side::sides]
        if len(part) == 1:
            assert torch.equal(part, noise[side::sides])
        else:
            assert float(part.mean(0).abs().max()) < 1e-5
            assert float(part.var(0, unbiased=False).mean()) == pytest.approx(1, abs=0.02)


def test_the_mean_of_balanced_draws_is_nearer_to_that_of_many(model):
    given = slices(3)
    many, few = noise_for(3, 200, 1), noise_for(3, 4, 0)
    wanted = run_slices(Engine(model), given, many, Silent())[0].mean(0)
    far = [
        float(abs(run_slices(engine, given, few, Silent())[0].mean(0) - wanted).mean())
        for engine in (Engine(model), Engine(model, balanced=True))
    ]
    assert far[1] < 0.6 * far[0]


def test_an_engine_draws_as_settings_and_recipes_say(model):
    made = Engine.fast(model, drawing=AnomalySettings(mirrored=True, balanced=True))
    assert (made.mirrored, made.balanced) == (True, True)
    made = made.drawing(Recipe())
    assert (made.mirrored, made.balanced) == (Recipe().mirrored, Recipe().balanced)
    plain = Engine.fast(model)
    assert (plain.mirrored, plain.balanced) == (False, False)


def test_a_mirrored_head_has_the_mirrored_maps_when_both_sides_are_drawn_alike(model):
    given, noise = slices(2), noise_for(2, 1, 0).repeat(2, 1, 1)
    engine = replace(Engine.fast(model), mirrored=True)
    pictures, aleatoric = run_slices(engine, given, noise, Silent())
    other, same = run_slices(engine, np.ascontiguousarray(given[:, :, ::-1]), noise, Silent())
    assert_near(other.mean(0)[..., ::-1], pictures.mean(0), within=1e-5)
    assert_near(same[..., ::-1], aleatoric, rel=1e-3)


def test_more_draws_than_fit_at_once_are_decoded_in_parts(model):
    noise = noise_for(1, 7, 0)
    assert Engine(model, batch=1).draws == 5
    pictures, _ = run_slices(Engine(model, batch=1), slices(1), noise, Silent())
    alone, _ = run_slices(Engine(model, batch=1), slices(1), noise[6:], Silent())
    assert pictures.shape == (7, 1, 128, 128)
    assert_near(pictures[6:], alone, within=1e-5)


def test_half_precision_is_close(model):
    exact, _ = run_slices(Engine(model), slices(2), noise_for(2, 2, 0), Silent())
    quick, variance = run_slices(
        Engine(model, precision="bfloat16"), slices(2), noise_for(2, 2, 0), Silent()
    )
    assert (quick.dtype, variance.dtype) == (np.float32, np.float32)
    assert 0 < np.abs(quick - exact).max() < 0.02


def test_each_block_is_told_as_it_comes(model):
    told = []
    pictures, _ = run_slices(
        Engine(model, batch=2),
        slices(),
        noise_for(5, 2, 0),
        Silent(),
        lambda here, block, variance: told.append((here, block, variance.shape)),
    )
    assert [shape for *_, shape in told] == [(2, 128, 128), (2, 128, 128), (1, 128, 128)]
    for here, block, _ in told:
        assert np.array_equal(pictures[:, here], block)


def test_a_run_stops_before_the_next_block(model):
    class Impatient(Silent):
        checks = 0

        def check(self):
            self.checks += 1
            if self.checks == 2:
                raise Cancelled("stopped")

    told = []
    with pytest.raises(Cancelled):
        run_slices(
            Engine(model, batch=1),
            slices(),
            noise_for(5, 1, 0),
            Impatient(),
            lambda *block: told.append(block),
        )
    assert len(told) == 1
