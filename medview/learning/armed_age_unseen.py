"""Ages at sites without an effect, four ways: which known site would this one be like?

"zero" is the fixed effects alone, and what the program says. The others guess the site from the
measures by a network of its own (the Z-predictor), or average over all known sites.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional as F

from medview.learning.armed_age_ensemble import together
from medview.learning.armed_age_table import Floats, Plan
from medview.learning.armed_age_trainer import AgeTrainer
from medview.models.armed import Z_MODES, ClusterPredictor, z_of

STEPS, BATCH = 200, 128
RATE, DECAY = 5e-3, 1e-2
KEPT_BACK = 5
"""One row of so many is kept from the Z-predictor, to fit its temperature."""
TEMPERATURES = np.geomspace(0.5, 20, 40)


def unseen_ways(trainer: AgeTrainer) -> tuple[dict[str, Floats], float]:
    """Ages (n,) of rows of sites left out by each way, and how often the Z-predictor is right.

    The share is on rows of known sites that it never saw; a site left out it cannot know.
    """
    table = trainer.table
    chosen = [n for n, plan in enumerate(trainer.plans) if plan.kind == "unseen"]
    guesses, right = _predictors(trainer, [trainer.plans[n] for n in chosen])
    said: dict[str, Floats] = {mode: np.full(len(table.age), np.nan) for mode in Z_MODES}
    for n, guess in zip(chosen, guesses, strict=True):
        plan = trainer.plans[n]
        x, ensemble = table.x[plan.test], trainer.members(n)
        with torch.no_grad():
            soft = guess.soft(torch.from_numpy(plan.scale.inputs(x)))
        for mode in Z_MODES:
            if mode == "average":
                known = np.unique(table.site[plan.train])
                each = torch.eye(soft.shape[1])[known]
                asked = [ensemble.ask_z(plan.scale, x, z.expand_as(soft)).mixed for z in each]
                said[mode][plan.test] = np.mean([together(one) for one in asked], axis=0)
            else:
                mixed = ensemble.ask_z(plan.scale, x, z_of(mode, soft)).mixed
                said[mode][plan.test] = together(mixed)
    return said, right


def _predictors(trainer: AgeTrainer, plans: list[Plan]) -> tuple[list[ClusterPredictor], float]:
    """A Z-predictor for each plan, trained at once, with fitted temperatures."""
    table = trainer.table
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trainer.seed)
        inputs, sites = len(table.names), len(table.sites)
        models = [ClusterPredictor(inputs, sites) for _ in plans]
    x = torch.from_numpy(np.stack([plan.scale.inputs(table.x) for plan in plans]))
    site = torch.from_numpy(table.site)
    dice = np.random.default_rng(trainer.seed)
    orders = [dice.permutation(plan.train) for plan in plans]
    back = [order[: order.size // KEPT_BACK] for order in orders]
    _train(models, x, site, [order[order.size // KEPT_BACK :] for order in orders], dice)
    hits, rows = 0.0, 0
    for number, (model, here) in enumerate(zip(models, back, strict=True)):
        with torch.no_grad():
            logits, truth = model(x[number, here]), site[here]
            losses = [float(F.cross_entropy(logits / t, truth)) for t in TEMPERATURES]
            model.temperature.fill_(float(TEMPERATURES[int(np.argmin(losses))]))
            hits += float((logits.argmax(1) == truth).sum())
        rows += len(here)
    return models, hits / max(rows, 1)


def _train(
    models: list[ClusterPredictor],
    x: Tensor,
    site: Tensor,
    rows: list[np.ndarray[tuple[int, ...], np.dtype[np.intp]]],
    dice: np.random.Generator,
) -> None:
    stacked, buffers = stack_module_state(list(models))
    state = {name: value.detach().clone().requires_grad_() for name, value in stacked.items()}
    learn = torch.optim.AdamW(list(state.values()), lr=RATE, weight_decay=DECAY)
    whose = torch.arange(len(models))[:, None]

    def one(own: dict[str, Tensor], given: Tensor) -> Tensor:
        logits: Tensor = functional_call(models[0], own, (given,))
        return logits

    for _ in range(STEPS):
        here = torch.from_numpy(np.stack([dice.choice(own, BATCH) for own in rows]))
        logits: Tensor = vmap(one)(state | buffers, x[whose, here])
        loss = F.cross_entropy(logits.transpose(1, 2), site[here], reduction="none").mean(1).sum()
        learn.zero_grad()
        torch.autograd.backward(loss)
        learn.step()
    with torch.no_grad():
        for number, model in enumerate(models):
            for name, parameter in model.named_parameters():
                parameter.copy_(state[name][number])
