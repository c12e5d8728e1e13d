"""The M-AVAE: golden sizes, and what each part of its loss does."""

import pytest
import torch

from medview.models.losses import kl_standard_normal
from medview.models.mavae import TERMS, Codes, Mavae, MavaeOptions, Rows, distance_ratio

SMALL = MavaeOptions(
    smri=12, fmri=9, hidden=(16, 8), code=6, generic=3, age_head=(8,), sex_head=(8,)
)


def net(options=SMALL):
    torch.manual_seed(0)
    return Mavae(options)


def rows(n=8, *, fmri=True, age=None, seed=0):
    generator = torch.Generator().manual_seed(seed)
    here = torch.full((n,), float(fmri))
    return Rows(
        {
            "smri": torch.randn(n, 12, generator=generator),
            "fmri": torch.randn(n, 9, generator=generator) * here[:, None],
        },
        {"smri": torch.ones(n), "fmri": here},
        torch.randn(n, generator=generator) if age is None else torch.full((n,), age),
        torch.arange(n).remainder(2).float(),
    )


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_the_trunk_of_800_features_has_the_golden_number_of_parameters():
    mavae = net(MavaeOptions())
    assert count(mavae.encoders["smri"].trunk) == 532_080
    assert count(mavae.encoders["fmri"].trunk) == 532_080
    # 120 -> 360 -> 150 -> 1 and 120 -> 120 -> 100 -> 1 on all four codes.
    assert count(mavae.age_head) == 120 * 360 + 360 + 360 * 150 + 150 + 151
    assert count(mavae.sex_head) == 120 * 120 + 120 + 120 * 100 + 100 + 101


def test_the_decoder_mirrors_the_encoder_and_ends_linear():
    decoder = net(MavaeOptions()).decoders["fmri"]
    widths = [layer.in_features for layer in decoder if isinstance(layer, torch.nn.Linear)]
    assert widths == [60, 120, 200, 500]
    assert isinstance(decoder[-1], torch.nn.Linear)
    assert decoder[-1].out_features == 800


def test_the_shared_predictor_reads_only_generic_codes():
    mavae = net(MavaeOptions(12, 9, (16, 8), 6, 3, "shared"))
    given = rows()
    codes = mavae.encode(given)
    other = Codes(
        codes.mean, codes.log_variance, codes.generic, {r: u + 5 for r, u in codes.unique.items()}
    )
    assert torch.equal(mavae.vector(codes), mavae.vector(other))
    assert mavae.vector(codes).shape == (8, 6)


def test_the_divergence_of_the_prior_from_itself_is_zero():
    assert kl_standard_normal(torch.zeros(2, 3), torch.zeros(2, 3)).abs().max() == 0


def test_the_distance_ratio_is_small_for_equal_generic_and_far_unique_codes():
    near, far = torch.zeros(4, 3), torch.full((4, 3), 10.0)
    apart = Codes({}, {}, {"smri": near, "fmri": near}, {"smri": far, "fmri": -far})
    assert distance_ratio(apart).max() < 1e-6
    mixed = Codes({}, {}, {"smri": far, "fmri": -far}, {"smri": near, "fmri": near})
    assert distance_ratio(mixed).min() > 1


@pytest.mark.parametrize("fmri", [True, False])
def test_every_term_is_finite_with_and_without_the_second_modality(fmri):
    mavae = net()
    given = rows(fmri=fmri)
    terms = mavae.losses(mavae(given), given)
    assert set(terms) == set(TERMS)
    assert all(torch.isfinite(term) for term in terms.values())
    assert (terms["ratio"] > 0) == fmri
    assert (terms["cross"] > 0) == fmri


def test_a_missing_modality_is_filled_from_the_other_and_its_values_do_not_matter():
    mavae = net()
    given = rows(fmri=False)
    codes = mavae.encode(given)
    assert torch.equal(codes.generic["fmri"], codes.generic["smri"])
    assert codes.unique["fmri"].abs().max() == 0
    changed = Rows({**given.inputs, "fmri": torch.randn(8, 9)}, given.present, given.age, given.sex)
    assert torch.equal(mavae(changed).age, mavae(given).age)


def test_unknown_truths_give_no_loss_and_no_gradient():
    mavae = net()
    given = rows(age=float("nan"))
    known = Rows(given.inputs, given.present, given.age, torch.full((8,), torch.nan))
    terms = mavae.losses(mavae(known), known)
    assert (terms["age"].item(), terms["sex"].item()) == (0.0, 0.0)
    (terms["age"] + terms["sex"]).backward()
    grads = [p.grad for p in mavae.age_head.parameters() if p.grad is not None]
    assert all(grad.abs().max() == 0 for grad in grads)


def test_one_unknown_age_leaves_the_loss_of_the_others():
    mavae = net()
    given = rows()
    out = mavae(given)
    age = given.age.clone()
    age[0] = torch.nan
    partly = Rows(given.inputs, given.present, age, given.sex)
    wanted = (out.age[1:] - given.age[1:]).abs().mean()
    assert torch.allclose(mavae.losses(out, partly)["age"], wanted)


def test_the_step_of_the_discriminator_moves_nothing_else():
    mavae = net()
    given = rows()
    loss = mavae.adversary_loss(mavae.encode(given), given.present, torch.randn(8, 3))
    loss.backward()
    moved = {name.split(".")[0] for name, p in mavae.named_parameters() if p.grad is not None}
    assert moved == {"discriminator"}


def test_kl_reaches_only_the_unique_half_and_the_adversary_only_the_generic_one():
    mavae = net()
    given = rows()
    terms = mavae.losses(mavae(given), given)
    head = mavae.encoders["smri"].to_mean.weight
    (kl,) = torch.autograd.grad(terms["kl"], head, retain_graph=True)
    (adversary,) = torch.autograd.grad(terms["adv"], head)
    assert kl[:3].abs().max() == 0
    assert kl[3:].abs().max() > 0
    assert adversary[3:].abs().max() == 0
    assert adversary[:3].abs().max() > 0


def test_every_parameter_but_the_discriminator_is_reached():
    mavae = net(MavaeOptions(12, 9, (16, 8), 6, 3, skip=True))
    given = rows()
    noise = {role: torch.randn(8, 6) for role in ("smri", "fmri")}
    sum(mavae.losses(mavae(given, noise), given).values()).backward()
    still = {
        name
        for name, p in mavae.named_parameters()
        if (p.grad is None or p.grad.abs().max() == 0) and not name.startswith("discriminator")
    }
    assert not still


def test_the_linear_path_starts_at_nothing_and_leaves_absent_rows_alone():
    with_skip = net(MavaeOptions(12, 9, (16, 8), 6, 3, skip=True))
    given = rows(fmri=False)
    before = with_skip(given).age
    torch.nn.init.ones_(with_skip.skips["fmri"].weight)
    assert torch.equal(with_skip(given).age, before)
    torch.nn.init.ones_(with_skip.skips["smri"].weight[:1])
    assert torch.allclose(with_skip(given).age - before, given.inputs["smri"].sum(1), atol=1e-5)


def test_a_network_of_one_modality_still_fills_four_codes():
    alone = net(MavaeOptions(smri=12, fmri=0, hidden=(16, 8), code=6, generic=3))
    out = alone(rows())
    assert alone.vector(out.codes).shape == (8, 12)
    with pytest.raises(ValueError, match="at least one"):
        Mavae(MavaeOptions(smri=0, fmri=0))
