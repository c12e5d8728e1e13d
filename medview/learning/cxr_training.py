"""Train the chest model: films, folds, refit, card. Runs in the train child."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import FOLLOWS, TrainRequest
from medview.learning.begun_with import begin
from medview.learning.cases import find_subsets
from medview.learning.checkpoint import write_history
from medview.learning.course import Course
from medview.learning.cxr_armed import ArmedRun, Effects, what_sites_add
from medview.learning.cxr_baselines import fit_models, whole_features
from medview.learning.cxr_card import card_figures, make_card
from medview.learning.cxr_evidence import evidence_rows, likeness_in
from medview.learning.cxr_fit import PHASES, begun, fit_method, taught
from medview.learning.cxr_folds import Index, median_total, split_val
from medview.learning.cxr_given import Given, make_given
from medview.learning.cxr_measure import Measuring
from medview.learning.cxr_phase import Fitted, Run
from medview.learning.cxr_recipe import DEEP, RECIPES, CxrRecipe, SiteRecipe
from medview.learning.cxr_weights import encoder, kept_part, load_cxr, settings_of, whole_network
from medview.learning.film_set import load_films
from medview.learning.finetune_method import refuse_other
from medview.learning.metrics import MetricRow
from medview.learning.patients import patient_hash
from medview.learning.plain_models import save_models
from medview.learning.preview import Previews
from medview.learning.ranks import Ranks, refuse_several
from medview.learning.site_effects import learns
from medview.learning.splits_file import SPLITS, write_splits
from medview.learning.subset import Subset, TrainCase
from medview.learning.too_alike import refuse_one_outcome, refuse_one_patient
from medview.learning.weights import save
from medview.models.mdmt import Mdmt
from medview.models.site_mdmt import SiteMdmt

MODEL, ARMED_MODEL = "cxr", "cxr-armed"
COMMAND = "medview train {model} --data ../shared/data/cxr --set folds=5 --threads 1 --out DIR"
CARRIED = ("temperature", "zone_errors", "total_errors")
"""What weights that go on learning keep of their parent's card."""


def fit(job: Progress, request: TrainRequest) -> dict[str, Any]:
    """Train, cross-validate if the recipe has folds, write weights and card.

    Returns
    -------
    dict
        The body of ``medview.train/1``; of several processes only the first one's.

    Raises
    ------
    DataError
        Unusable data or recipe; a patient in two parts; nothing to learn from.
    """
    return _fit(job, request, MODEL)


def fit_armed(job: Progress, request: TrainRequest) -> dict[str, Any]:
    """The same with effects of sites: the source of a film, or what its case list says.

    Raises
    ------
    UsageError
        Adapters, or several processes.
    DataError
        As ``fit``; also if no film has an outcome.
    """
    refuse_several(ARMED_MODEL, "its adversary looks at whole batches")
    refuse_other(ARMED_MODEL, request.method, tuple(learns("heads.")))
    return _fit(job, request, ARMED_MODEL)


def _fit(job: Progress, request: TrainRequest, model: str) -> dict[str, Any]:
    course = Course.start(job, request)
    recipe = RECIPES[model].of(request.recipe)
    subsets = find_subsets(request.data, model)
    given, start = _given(job, recipe, _labelled(subsets), request, model)
    parts = _parts(given, recipe, request)
    recipe = start.shaped(recipe) if request.init else taught(recipe, given, parts[0])
    last = start.last(recipe)
    out = course.made_folder()
    begin(request, subsets, leads=Ranks.here().leads)
    table = whole_features(job, given.films.cases) if recipe.folds > 1 else None
    rows, settings = list[MetricRow](), dict(start.carried)
    if table is not None:
        rows, found = Measuring(recipe, given, table, request.seed, last).rows(job)
        settings |= found
    ranks = Ranks.here()
    fitted = fit_method(
        job, recipe, given, parts, request.seed,
        folder=out, resume=request.resume, until=course.until, init=start.state,
        after=_previewed(given, recipe, request) if ranks.leads else None,
        learns=request.method, ranks=ranks, last=last,
    )  # fmt: skip
    if not ranks.leads:
        return {FOLLOWS: True}
    _write_tables(out, given, parts, fitted, private=request.private)
    whole, found, likeness = _finished(job, recipe, given, fitted, request.seed)
    settings |= found
    figures = card_figures([*rows, *likeness], COMMAND.format(model=model))
    if table is not None:
        settings["baselines"] = save_models(fit_models(table, given.films.cases), out)
    used = [replace(s, cases=tuple(c for c in s.cases if has_label(c))) for s in subsets]
    card = make_card(used, _learnt_from(given, request), recipe, settings, figures, model)
    kept = save(kept_part(whole, settings), card, out)
    return course.answer(
        epochs=fitted.epochs,
        best_epoch=fitted.best_epoch,
        stopped=fitted.stopped,
        n={
            name: len({given.films.cases[n].patient for n in part})
            for name, part in zip(("train", "val"), parts, strict=True)
        },
        weights_sha256=kept.weights_sha256,
        health=_health(fitted),
    )


def _finished(
    job: Progress, recipe: CxrRecipe, given: Given, fitted: Fitted, seed: int
) -> tuple[Mdmt, dict[str, object], list[MetricRow]]:
    """The whole network, what its card says of it, and how like its maps are to what it sees."""
    whole = whole_network(fitted.model, given.backbone, given.frozen)
    settings: dict[str, object] = dict(
        settings_of(whole, recipe.backbone, recipe.size, given.frozen)
    )
    settings["median_total"] = _number(median_total(given.films.cases))
    likeness = evidence_rows(job, whole, given.backbone, given.films.cases, recipe.size)
    settings["map_likeness"] = likeness_in(likeness)
    if isinstance(fitted.model, SiteMdmt):
        settings["site_effects"] = what_sites_add(fitted.model, given, seed)
    return whole, settings, likeness


def first_run(job: Progress, request: TrainRequest, model: str) -> Run:
    """The last phase of a training from given weights, before its first step.

    Raises
    ------
    DataError
        Unusable data or recipe.
    """
    recipe = RECIPES[model].of(request.recipe)
    cases = _labelled(find_subsets(request.data, model))
    given, start = _given(job, recipe, cases, request, model)
    recipe, parts = start.shaped(recipe), _parts(given, recipe, request)
    phase = PHASES[recipe.method][-1]
    net = begun(recipe, given, parts[0], phase, {}, request.seed, start.state, request.method)
    return (start.last(recipe) or Run)(recipe, given, parts, net, phase, request.seed, None)


def _labelled(subsets: Sequence[Subset]) -> list[TrainCase]:
    """Films with a label that are not marked for test; refused where there are none."""
    cases = [c for s in subsets for c in s.cases if c.split != "test" and has_label(c)]
    if not cases:
        raise DataError(
            "no film with an outcome or a Brixia score was found",
            code="MV-DAT-156",
            do="Give a set that has such labels.",
        )
    learnt = [case for case in cases if case.split != "val"]
    if not learnt:
        raise DataError(
            "every film with a label is marked val",
            code="MV-DAT-156",
            do='Mark some as "train", or leave the column "split" out.',
        )
    refuse_one_outcome(MODEL, learnt)
    refuse_one_patient(case.patient for case in cases)
    return cases


def _previewed(
    given: Given, recipe: CxrRecipe, request: TrainRequest
) -> Callable[[int, Mdmt], None] | None:
    """What leaves the weights of an epoch for the reader; None where nobody looks."""
    previews = Previews.of(request)
    if previews is None:
        return None

    def after(epoch: int, model: Mdmt) -> None:
        whole = whole_network(model, given.backbone, given.frozen)
        settings = settings_of(whole, recipe.backbone, recipe.size, given.frozen)
        previews.leave(epoch, kept_part(whole, settings), settings)

    return after


def has_label(case: TrainCase) -> bool:
    """True for a film with an outcome or a Brixia score."""
    return bool(case.cells.get("prognosis") or case.cells.get("brixia"))


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Weights to start from: their state and sites, and what their card keeps of left-out films.

    All empty where a training starts from nothing.
    """

    state: dict[str, torch.Tensor] | None = None
    sites: tuple[str, ...] = ()
    carried: Mapping[str, object] = field(default_factory=dict)
    outcome: str = ""

    def shaped(self, recipe: CxrRecipe) -> CxrRecipe:
        """The recipe with the head of the outcome that the weights have: another would be new."""
        if self.outcome in ("", recipe.outcome):
            return recipe
        return replace(
            recipe, **(DEEP if self.outcome == DEEP["outcome"] else {"outcome": self.outcome})
        )

    def last(self, recipe: CxrRecipe) -> Callable[..., Run] | None:
        """What makes the last phase of the training, where it learns effects of sites."""
        if not isinstance(recipe, SiteRecipe):
            return None
        effects = Effects(recipe.weights, known=self.sites, start=self.state or {})
        return partial(ArmedRun, effects=effects)


def _given(
    job: Progress,
    recipe: CxrRecipe,
    cases: Sequence[TrainCase],
    request: TrainRequest,
    model: str,
) -> tuple[Given, Start]:
    """Films through the frozen stages; and what to start from."""
    start, backbone = Start(), encoder(recipe.backbone)
    if request.init:
        net, card, backbone = load_cxr(Path(request.init), model=model)
        if card.settings["backbone"] != recipe.backbone:
            raise DataError(
                f"the weights have the backbone {card.settings['backbone']}, the recipe asks for "
                f"{recipe.backbone}",
                file=Path(request.init).name,
                code="MV-DAT-157",
                do="Set the same backbone.",
            )
        state = {k: v for k, v in net.state_dict().items() if not k.startswith("tail.")}
        sites = net.sites if isinstance(net, SiteMdmt) else ()
        carried = {name: card.settings[name] for name in CARRIED if name in card.settings}
        start = Start(state, sites, carried, net.options.outcome)
    films = load_films(job, cases, recipe.size, recipe.copies, request.seed)
    return make_given(job, films, backbone, recipe.frozen), start


def _parts(given: Given, recipe: CxrRecipe, request: TrainRequest) -> tuple[Index, Index]:
    """Films to train on and to select by; patients that are to be held out are in neither.

    Old and new are compared on those: they must not choose the epoch.
    """
    cases = given.films.cases
    held = set(request.held_out)
    rest = np.flatnonzero([patient_hash(case.patient) not in held for case in cases])
    return split_val(cases, rest, recipe.val_share, request.seed)


def _learnt_from(given: Given, request: TrainRequest) -> list[str]:
    """Patients that the weights count as seen: not those held out or marked for validation."""
    held = set(request.held_out)
    return [
        case.patient
        for case in given.films.cases
        if case.split != "val" and patient_hash(case.patient) not in held
    ]


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _health(fitted: Fitted) -> list[dict[str, object]]:
    """Last losses on validation and training films."""
    last = {(part, name): value for _, part, name, value in fitted.history
            if part in ("train", "val")}  # fmt: skip
    return [
        {"name": f"{part}_{name}", "value": round(value, 4), "ok": bool(np.isfinite(value))}
        for (part, name), value in last.items()
    ]


def _write_tables(
    out: Path, given: Given, parts: tuple[Index, Index], fitted: Fitted, *, private: bool
) -> None:
    """history.csv and splits.csv; films in no part are held out, which is called val."""
    rest = np.setdiff1d(np.arange(given.n), np.concatenate(parts))
    write_history(out / "history.csv", fitted.history)
    told = (
        (given.films.cases[n], name)
        for name, part in zip(("train", "val", "val"), (*parts, rest), strict=True)
        for n in part
    )
    write_splits(out / SPLITS, told, private=private)
