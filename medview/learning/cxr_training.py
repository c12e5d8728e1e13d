"""Train the chest model: films, folds, refit, card. Runs in the train child."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medview.domain.card import Figure
from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import FOLLOWS, TrainRequest
from medview.learning.cases import find_subsets
from medview.learning.checkpoint import write_history
from medview.learning.chest_rows import zone_scores
from medview.learning.cxr_baselines import (
    LOGISTIC,
    LUNGS,
    fit_models,
    whole_features,
    with_baselines,
)
from medview.learning.cxr_card import card_figures, make_card
from medview.learning.cxr_evidence import evidence_rows, likeness_in
from medview.learning.cxr_fit import PHASES, Fitted, Run, begun, fit_method, taught
from medview.learning.cxr_folds import (
    Index,
    fold_of_patients,
    median_total,
    split_val,
    train_and_predict,
)
from medview.learning.cxr_given import Given, make_given
from medview.learning.cxr_metrics import (
    Said,
    calmed_by_other_folds,
    outcome_reliability,
    outcome_rows,
    severity_rows,
    temperature_of,
    together,
)
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.cxr_weights import encoder, load_cxr, settings_of, whole_network
from medview.learning.devices import choose_device
from medview.learning.film_set import load_films
from medview.learning.metrics import MetricRow
from medview.learning.patients import patient_hash
from medview.learning.plain_models import Matrix, save_models
from medview.learning.preview import Previews
from medview.learning.ranks import Ranks
from medview.learning.splits_file import SPLITS, write_splits
from medview.learning.subset import Subset, TrainCase
from medview.learning.temperature import calmed
from medview.learning.too_alike import refuse_one_outcome, refuse_one_patient
from medview.learning.weights import save
from medview.models.mdmt import Mdmt

MODEL = "cxr"
COMMAND = "medview train cxr --data ../shared/data/cxr --set folds=5 --threads 1 --out DIR"
CARRIED = ("temperature", "zone_errors", "total_errors")
"""What weights that go on learning keep of their parent's card."""
FEWEST_ERRORS = 40
"""Below so many left-out films no interval of a score is given."""


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
    began = time.perf_counter()
    if request.threads:
        torch.set_num_threads(request.threads)
    choose_device(request.device)
    recipe = CxrRecipe.of(request.recipe)
    subsets = find_subsets(request.data, "cxr")
    given, start, carried = _given(job, recipe, _labelled(subsets), request)
    parts = _parts(given, recipe, request)
    recipe = taught(recipe, given, parts[0]) if start is None else recipe
    out = Path(request.out)
    out.mkdir(parents=True, exist_ok=True)
    until = began + 60 * request.max_minutes if request.max_minutes else float("inf")
    table = whole_features(job, given.films.cases) if recipe.folds > 1 else None
    figures, settings = _measured(job, recipe, given, table, request.seed)
    settings = {**carried, **settings}
    ranks = Ranks.here()
    fitted = fit_method(
        job, recipe, given, parts, request.seed,
        folder=out, resume=request.resume, until=until, init=start,
        after=_previewed(given, recipe, request) if ranks.leads else None,
        learns=request.method, ranks=ranks,
    )  # fmt: skip
    if not ranks.leads:
        return {FOLLOWS: True}
    _write_tables(out, given, parts, fitted, private=request.private)
    whole = whole_network(fitted.model, given.backbone, given.frozen)
    settings |= settings_of(whole, recipe.backbone, recipe.size)
    settings["median_total"] = _number(median_total(given.films.cases))
    likeness = evidence_rows(job, whole, given.backbone, given.films.cases, recipe.size)
    settings["map_likeness"] = likeness_in(likeness)
    figures = (*figures, *card_figures(likeness, COMMAND))
    if table is not None:
        settings["baselines"] = save_models(fit_models(table, given.films.cases), out)
    used = [replace(s, cases=tuple(c for c in s.cases if has_label(c))) for s in subsets]
    card = make_card(used, _learnt_from(given, request), recipe, settings, figures)
    kept = save(whole, card, out)
    return {
        "epochs": fitted.epochs,
        "best_epoch": fitted.best_epoch,
        "stopped": fitted.stopped,
        "n": {
            name: len({given.films.cases[n].patient for n in part})
            for name, part in zip(("train", "val"), parts, strict=True)
        },
        "seconds": round(time.perf_counter() - began, 1),
        "weights_sha256": kept.weights_sha256,
        "health": _health(fitted),
    }


def first_run(job: Progress, recipe: CxrRecipe, request: TrainRequest) -> Run:
    """The last phase of a training from given weights, before its first step.

    Raises
    ------
    DataError
        Unusable data or recipe.
    """
    given, start, _ = _given(job, recipe, _labelled(find_subsets(request.data, MODEL)), request)
    parts = _parts(given, recipe, request)
    phase = PHASES[recipe.method][-1]
    model = begun(recipe, given, parts[0], phase, {}, request.seed, start, request.method)
    return Run(recipe, given, parts, model, phase, request.seed, None)


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
            f"all {len(cases)} films with a label are marked val",
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
        previews.leave(epoch, whole, settings_of(whole, recipe.backbone, recipe.size))

    return after


def has_label(case: TrainCase) -> bool:
    """True for a film with an outcome or a Brixia score."""
    return bool(case.cells.get("prognosis") or case.cells.get("brixia"))


def _given(
    job: Progress, recipe: CxrRecipe, cases: Sequence[TrainCase], request: TrainRequest
) -> tuple[Given, dict[str, torch.Tensor] | None, dict[str, object]]:
    """Films through the frozen stages; first weights and what their card keeps of left-out films,
    where they are given.
    """
    start, carried = None, dict[str, object]()
    backbone = encoder(recipe.backbone)
    if request.init:
        model, card, backbone = load_cxr(Path(request.init))
        if card.settings["backbone"] != recipe.backbone:
            raise DataError(
                f"the weights have the backbone {card.settings['backbone']}, the recipe asks for "
                f"{recipe.backbone}",
                file=Path(request.init).name,
                code="MV-DAT-157",
                do="Set the same backbone.",
            )
        carried = {name: card.settings[name] for name in CARRIED if name in card.settings}
        start = {k: v for k, v in model.state_dict().items() if not k.startswith("tail.")}
    films = load_films(job, cases, recipe.size, recipe.copies, request.seed)
    return make_given(job, films, backbone, recipe.frozen), start, carried


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


def _measured(
    job: Progress, recipe: CxrRecipe, given: Given, table: Matrix | None, seed: int
) -> tuple[tuple[Figure, ...], dict[str, object]]:
    """Figures on left-out patients and left-out sites, and how far scores are off.

    `table` holds what the classical models see of each film; None where nothing is measured.
    """
    if table is None:
        return (), {}
    cases = given.films.cases
    folds = fold_of_patients(cases, recipe.folds)
    number = np.array([folds.get(case.patient, -1) for case in cases])
    said = []
    for fold in range(recipe.folds):
        test, train = np.flatnonzero(number == fold), np.flatnonzero(number != fold)
        said.append(_left_out(job, recipe, given, table, (train, test), seed))
    raw = together(said)
    temperature = temperature_of(raw)
    whole = calmed_by_other_folds(said)
    curves = {"before": outcome_reliability(raw), "after": outcome_reliability(whole)}
    crossed = _crossed(job, recipe, given, table, seed, temperature)
    rows = [*outcome_rows(whole), *severity_rows(whole), *crossed]
    settings = {"temperature": temperature, "reliability": {"severe": curves}}
    return card_figures(rows, COMMAND), {**settings, **_errors(whole)}


def _left_out(
    job: Progress,
    recipe: CxrRecipe,
    given: Given,
    table: Matrix,
    parts: tuple[Index, Index],
    seed: int,
) -> Said:
    """What network and classical models say of the second part, trained on the first."""
    train, test = parts
    said = train_and_predict(job, recipe, given, train, test, seed)
    cases = [given.films.cases[n] for n in train.tolist()]
    found = with_baselines(said, fit_models(table[train], cases), table[test])
    if given.pooled is None:
        return found
    square = given.pooled[:, 0, 0].double().numpy()
    lungs = fit_models(square[train], cases).get(LOGISTIC)
    more = {} if lungs is None else {LUNGS: lungs(square[test])}
    return replace(found, baselines={**found.baselines, **more})


def _crossed(
    job: Progress, recipe: CxrRecipe, given: Given, table: Matrix, seed: int, temperature: float
) -> list[MetricRow]:
    """Outcome on each source by a network that was trained on the others."""
    cases = given.films.cases
    sites = sorted({case.site for case in cases if case.cells.get("prognosis")})
    rows = []
    for site in sites if len(sites) > 1 else ():
        here = {case.patient for case in cases if case.site == site}
        left = np.array([case.patient in here for case in cases], np.bool_)
        parts = np.flatnonzero(~left), np.flatnonzero(left)
        if not any(cases[n].cells.get("prognosis") for n in parts[0]):
            continue  # the other sources teach no outcome
        said = _left_out(job, recipe, given, table, parts, seed)
        said = replace(said, severe=calmed(said.severe, temperature))
        whole = [row for row in outcome_rows(said) if row.group.split(", ")[0] == "all"]
        name = f"source-left-out:{site}"
        rows += [replace(row, group=row.group.replace("all", name, 1)) for row in whole]
    return rows


def _errors(said: Said) -> dict[str, object]:
    """2.5th and 97.5th percentile of truth minus score on left-out films."""
    scored = np.array([bool(case.cells.get("brixia")) for case in said.cases], np.bool_)
    here = said.only(scored & np.isfinite(said.zones).all(1))
    if len(here.cases) < FEWEST_ERRORS:
        return {}
    truth = np.array([zone_scores(case.cells["brixia"]) for case in here.cases], float)
    zones, totals = truth - here.zones, truth.sum(1) - here.zones.sum(1)
    return {
        "zone_errors": [round(float(v), 3) for v in np.percentile(zones, (2.5, 97.5))],
        "total_errors": [round(float(v), 3) for v in np.percentile(totals, (2.5, 97.5))],
    }


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
