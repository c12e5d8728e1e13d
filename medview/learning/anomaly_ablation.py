"""Variants of the anomaly model: other scores of the same weights, and other networks.

The published ablation (arXiv 2504.15562, table 1) takes attention, the aleatoric and the
epistemic part away, and the draws. Where that concerns the score alone it is done on the same
weights; where it concerns the network, this is trained anew. Variants of one fold share the
brains, the lesions and, where they can, the weights and their draws.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medview.domain.ablation import AblateRequest, Scored
from medview.domain.errors import UsageError
from medview.domain.progress import Progress
from medview.domain.training import CHECKPOINTS, TrainRequest
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_folds import (
    OPPOSITE,
    NetworkTraining,
    finished_model,
    first_settings,
)
from medview.learning.anomaly_marked import load_marked, scored_marked
from medview.learning.anomaly_recipe import Recipe, same_run
from medview.learning.anomaly_scores import Drawn
from medview.learning.anomaly_settings import Rule
from medview.learning.anomaly_shown import FULL, Shown, agreement, joined, looked, scored, show
from medview.learning.calibrate import Pasted, Trial, choose, draw_slices, paste_lesions
from medview.learning.cases import PreparedCase, find_subsets
from medview.learning.devices import choose_device
from medview.learning.normal_cases import NormalCase, load_normals, split
from medview.learning.recognised import floor_of
from medview.learning.side_by_side import Terms, train_each
from medview.learning.single_pass import fit_single_pass

LOOKED_AT = ("default", "heads-4")
"""Variants whose attention is asked for, too."""
ELSEWHERE = ("default", "contrasts")
"""Variants that are also measured on marked lesions of sets that none learns from."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What a variant changes: the recipe (then it is trained anew), or how draws become scores.

    `mirrored`, `balanced` and `upright` of the recipe are no matter of training.

    `spread` False takes the mean of the code instead of draws; `single` estimates the epistemic
    part from one pass; `opposite` is that of the settings.
    """

    recipe: Mapping[str, Any] = field(default_factory=dict)
    rule: Rule = "ratio"
    alpha: float = 0.5
    samples: int = 5
    spread: bool = True
    single: bool = False
    opposite: float = OPPOSITE


_NO_SPREAD: Mapping[str, Any] = {
    "network.deterministic": True,
    "beta_start": 0.0,
    "beta_end": 0.0,
}
VARIANTS: dict[str, Variant] = {
    "default": Variant(),
    # Scores of the same weights.
    "score-no-aleatoric": Variant(rule="ratio-epistemic"),
    "score-no-epistemic": Variant(rule="ratio-aleatoric"),
    "score-deterministic": Variant(rule="residual", samples=1, spread=False),
    "rule-product": Variant(rule="product"),
    "rule-sum": Variant(rule="sum"),
    "rule-epistemic": Variant(rule="epistemic"),
    "rule-residual": Variant(rule="residual"),
    "alpha-0": Variant(alpha=0.0),
    "alpha-0.25": Variant(alpha=0.25),
    "alpha-0.75": Variant(alpha=0.75),
    "alpha-1": Variant(alpha=1.0),
    "draws-1": Variant(samples=1),
    "draws-2": Variant(samples=2),
    "draws-10": Variant(samples=10),
    "draws-20": Variant(samples=20),
    "draws-50": Variant(samples=50),
    "single-pass": Variant(single=True),
    "one-side-alone": Variant(opposite=0.0),
    "mirrored": Variant({"mirrored": True}),
    "not-balanced": Variant({"balanced": False}),
    "as-they-lie": Variant({"upright": False}),
    # Other networks.
    "no-attention": Variant({"network.attention": False}),
    "no-aleatoric": Variant({"network.aleatoric": False}, rule="ratio-epistemic"),
    # One network without spread in its code: judged by its predicted variance too, or not.
    "no-epistemic": Variant(_NO_SPREAD, rule="ratio-aleatoric"),
    "deterministic": Variant(_NO_SPREAD, rule="residual"),
    "heads-4": Variant({"network.heads": 4}),
    # Learns from slices of many contrasts (not in the paper).
    "contrasts": Variant({"augment.curve": 0.6, "augment.dim": 0.4}),
}
"""By name. Attention, aleatoric and epistemic part, and draws: the published ablation."""


_Way = tuple[int, bool, bool, bool]


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """What a network said: of the slices that scores are chosen on, and of left-out brains."""

    clean: Drawn
    sick: Drawn
    held_out: tuple[Drawn, ...]

    def changed(self, change: Callable[[Drawn], Drawn]) -> _Said:
        """The same with each part changed."""
        return _Said(change(self.clean), change(self.sick), tuple(map(change, self.held_out)))


@dataclass(slots=True, eq=False)
class _Trained:
    """A network of one fold, what it is asked, and what it has said to whom.

    Kept by how many draws there are, whether they differ, whether every other one is of the mirror
    image, and whether they are balanced.
    """

    engine: Engine
    chosen_on: Pasted
    shown: tuple[Shown, ...]
    _said: dict[_Way, _Said] = field(default_factory=dict)
    _cpu_s: dict[_Way, float] = field(default_factory=dict)

    @property
    def lesions(self) -> NDArray[np.bool_]:
        """Lesion pixels of the slices that scores are chosen on."""
        return self.chosen_on.truth

    def said(self, job: Progress, samples: int, spread: bool) -> _Said:
        """Ask with so many draws; without `spread` every draw is the mean of the code."""
        key = self._way(samples, spread)
        if key not in self._said:
            one = self.chosen_on
            clean = draw_slices(job, self.engine, one.plain, one.brain, samples, spread=spread)
            sick = draw_slices(job, self.engine, one.pasted, one.brain, samples, spread=spread)
            began = time.process_time()
            held_out = tuple(
                draw_slices(job, self.engine, each.pictures, each.brain, samples, spread=spread)
                for each in self.shown
            )
            self._cpu_s[key] = time.process_time() - began
            self._said[key] = _Said(clean, sick, held_out)
        return self._said[key]

    def _way(self, samples: int, spread: bool) -> _Way:
        return samples, spread, self.engine.mirrored, self.engine.balanced

    def cost(self, samples: int, spread: bool) -> Scored:
        """Processor time of the network, all threads together, for a slice of the left-out brains.

        They must have been asked.
        """
        slices = sum(len(each.pictures) for each in self.shown)
        ms = 1000 * self._cpu_s[self._way(samples, spread)] / slices
        case = self.shown[0].case
        return Scored(
            "cost", ("cpu_ms_per_slice",), (case.case,), (case.patient,), (0.0,), (ms,), "all",
            "slice",
        )  # fmt: skip


class AnomalyStudy:
    """The variants on folds by patient; the last network is kept for variants that share it."""

    def __init__(self, job: Progress, request: AblateRequest) -> None:
        if request.leave_out:
            raise UsageError(
                "the sets of normal brains are one site each", do="Give --folds instead."
            )
        self._request = replace(request, device=choose_device(request.device))
        self._marked: tuple[PreparedCase, ...] | None = None
        self._read: dict[tuple[bool, bool], tuple[NormalCase, ...]] = {}
        cases = self._cases(job, recipe_of(self._request.recipe, {}))
        own = dict.fromkeys(c.case.patient for c in cases if not c.training_only)
        self._patients = tuple(own)
        self._kept: tuple[tuple[str, bool, int, str], _Trained] | None = None

    def variants(self) -> tuple[str, ...]:
        """All names, the default first."""
        return tuple(VARIANTS)

    def folds(self, seed: int) -> tuple[str, ...]:
        """The numbers of the folds."""
        return tuple(str(n + 1) for n in range(min(self._request.folds, len(self._patients))))

    def run(
        self, job: Progress, variant: str, settings: Mapping[str, Any], seed: int, fold: str
    ) -> tuple[Scored, ...]:
        """Train what has to be trained and score the brains that were left out."""
        wanted = VARIANTS[variant]
        recipe = recipe_of(self._request.recipe, {**wanted.recipe, **settings})
        trained = self._trained(job, recipe, seed, fold)
        said = trained.said(job, wanted.samples, wanted.spread)
        if wanted.single:
            line = fit_single_pass(trained.said(job, 1, False).clean, said.clean)
            said = trained.said(job, 1, False).changed(line.estimate)
        start = replace(
            first_settings(recipe),
            samples=wanted.samples, rule=wanted.rule, alpha=wanted.alpha, opposite=wanted.opposite,
        )  # fmt: skip
        chosen = choose(Trial(said.clean, said.sick, trained.lesions), start)
        pairs = zip(trained.shown, said.held_out, strict=True)
        found = joined([one for shown, drawn in pairs for one in scored(shown, drawn, chosen)])
        if wanted.single:
            several = trained.said(job, FULL, True).held_out
            found += joined(agreement(trained.shown, said.held_out, several))
            return (*found, trained.cost(1, False))
        if variant in LOOKED_AT and recipe.network.attention:
            found += looked(trained.engine, trained.shown)
        if variant in ELSEWHERE:
            judging = replace(chosen, floor=floor_of(said.clean.explained()))
            found += scored_marked(job, trained.engine, self._elsewhere(job), judging, seed)
        if variant == "default" or wanted.samples != FULL:
            return (*found, trained.cost(wanted.samples, wanted.spread))
        return found

    def _cases(self, job: Progress, recipe: Recipe) -> tuple[NormalCase, ...]:
        """The normal brains, read once for each way in which heads lie."""
        key = (recipe.upright, recipe.turned)
        if key not in self._read:
            subsets = [s for s in find_subsets(self._request.data, "anomaly") if s.is_normal]
            cases, _ = load_normals(job, subsets, upright=recipe.upright, turned=recipe.turned)
            self._read[key] = split(cases)["train"]
        return self._read[key]

    def _elsewhere(self, job: Progress) -> tuple[PreparedCase, ...]:
        """Marked lesions of the data's other sets, read when they are first asked for."""
        if self._marked is None:
            subsets = find_subsets(self._request.data, self._request.model)
            marked = [s for s in subsets if not s.is_normal]
            self._marked = load_marked(job, marked)
        return self._marked

    def _trained(self, job: Progress, recipe: Recipe, seed: int, fold: str) -> _Trained:
        key = (same_run(recipe), recipe.upright, seed, fold)
        if self._kept is None or self._kept[0] != key:
            self._kept = None  # one network at a time
            self._kept = (key, self._train(job, recipe, seed, fold))
        trained = self._kept[1]
        trained.engine = trained.engine.drawing(recipe)
        return trained

    def _train(self, job: Progress, recipe: Recipe, seed: int, fold: str) -> _Trained:
        left_out = set(self._patients[int(fold) - 1 :: self._request.folds])
        cases = self._cases(job, recipe)
        train = [c for c in cases if c.case.patient not in left_out]
        name = f"{zlib.crc32(same_run(recipe).encode()):08x}-{seed}-{fold}"
        folder = Path(self._request.out) / CHECKPOINTS / name
        asked = TrainRequest((), str(folder), {}, seed=seed, device=self._request.device)
        training = NetworkTraining.of(f"fold {fold}", folder, recipe, asked, train)
        (trainer,) = train_each(job, [training], Terms(resume=True))
        engine = Engine.fast(finished_model(trainer), self._request.device)
        chosen_on = paste_lesions([c.prepared.prepared for c in train])
        held = [c for c in cases if c.case.patient in left_out]
        return _Trained(engine, chosen_on, tuple(show(case, seed) for case in held))


def recipe_of(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Recipe:
    """A recipe with some settings changed; "network.heads" is one of a table."""
    values: dict[str, Any] = {k: dict(v) if isinstance(v, Mapping) else v for k, v in base.items()}
    for key, value in changes.items():
        table, _, name = key.rpartition(".")
        (values.setdefault(table, {}) if table else values)[name] = value
    return Recipe.of(values)
