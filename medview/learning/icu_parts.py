"""Which stays of data sets each part of the ICU model learns from, and of whom they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.learning import splits_file
from medview.learning.icu_films import film_features
from medview.learning.icu_recipe import JOINT, IcuRecipe
from medview.learning.icu_stays import (
    JOINTLY,
    OUTPUTS,
    Stay,
    find_stays,
    map_called,
    to_bins,
    with_films,
)
from medview.learning.icu_tasks import to_train_on
from medview.learning.icu_units import (
    refuse_films,
)
from medview.learning.icu_variables import VariableMap
from medview.learning.icu_work import Work
from medview.learning.subset import LeftOut, Subset
from medview.learning.too_alike import refuse_one_class, refuse_one_patient


def works_of(
    job: Progress, recipe: IcuRecipe, data: Sequence[str]
) -> tuple[list[Work], list[LeftOut], VariableMap]:
    """Each part with its stays, what was left out, and the map of variables.

    Raises
    ------
    DataError
        Unusable data, or no labels.
    """
    variables = map_called(recipe.variables)
    works, skipped = works_in(job, recipe, variables, find_stays(data, "icu"))
    return works, skipped, variables


def works_in(
    job: Progress, recipe: IcuRecipe, variables: VariableMap, subsets: Sequence[Subset]
) -> tuple[list[Work], list[LeftOut]]:
    """Each part with the stays that know one of its labels, and what was left out.

    Raises
    ------
    DataError
        No labels, nobody to train on, or one outcome or patient alone.
    """
    wanted = {"mortality": recipe.mortality_sets, "phenotypes": recipe.phenotype_sets}
    parts = {JOINT: JOINTLY} if recipe.joint else OUTPUTS
    if recipe.rule is not None:
        refuse_films(recipe)
        parts = {name: outputs for name, outputs in parts.items() if len(outputs) == 1}
    binned, skipped = _binned(job, recipe, variables, subsets)
    works = []
    for name, outputs in parts.items():
        sets = [one.strip() for one in wanted.get(name, "").split(",") if one.strip()]
        stays = [s for subset, some in binned.items() if subset in sets or not sets for s in some]
        labels = np.array([stay.labels(outputs) for stay in stays]).reshape(-1, len(outputs))
        known = np.isfinite(labels).any(1)
        if known.any():
            chosen = [stay for stay, one in zip(stays, known, strict=True) if one]
            works.append(Work(name, outputs, chosen, labels[known], {}))
    _refuse_unfit(works, skipped)
    return works, skipped


def _binned(
    job: Progress, recipe: IcuRecipe, variables: VariableMap, subsets: Sequence[Subset]
) -> tuple[dict[str, list[Stay]], list[LeftOut]]:
    """The stays of each set, with films where the recipe has them; and those left out."""
    skipped = [one for subset in subsets for one in subset.skipped]
    binned: dict[str, list[Stay]] = {}
    for subset in subsets:
        binned[subset.name], left_out = to_bins(job, subset.cases, variables)
        skipped += left_out
        if recipe.film != "none":
            features = film_features(job, subset.cases, equalise=recipe.clahe)
            binned[subset.name] = with_films(binned[subset.name], features)
    return binned, skipped


def _refuse_unfit(works: Sequence[Work], skipped: Sequence[LeftOut]) -> None:
    if not works:
        lost = f"; {len(skipped)} were left out, the first: {skipped[0].what}" if skipped else ""
        raise DataError(
            f"no stay knows whether the patient died or what he had{lost}",
            file=skipped[0].case if skipped else "",
            do="Give data with labels.",
            code="MV-DAT-170",
        )
    for work in works:
        if not len(to_train_on(work.stays)):
            raise DataError(
                "every stay with a label is marked val or test",
                do='Mark some as "train", or leave the column "split" out.',
                code="MV-DAT-170",
            )
    refuse_one_class([work.labels[to_train_on(work.stays)] for work in works])
    refuse_one_patient(stay.case.patient for work in works for stay in work.stays)


def write_splits(path: Path, works: Sequence[Work], *, private: bool = False) -> None:
    """splits.csv, with the part as the data have it; a stay stands there once."""
    stays = [stay.case for work in works for stay in work.stays]
    once = {(case.subset, case.case): case for case in stays}
    told = ((case, case.split or "train") for case in once.values())
    splits_file.write_splits(path, told, private=private)


def patients_in(works: Sequence[Work]) -> dict[str, list[str]]:
    """Patients to train on and to select by."""
    parts: dict[str, dict[str, None]] = {"train": {}, "val": {}}
    for work in works:
        for stay in work.stays:
            part = stay.case.split or "train"
            if part in parts:
                parts[part][stay.case.patient] = None
    return {part: list(names) for part, names in parts.items()}


def learnt_from(subsets: Sequence[Subset], works: Sequence[Work]) -> list[Subset]:
    """The sets with those of their stays alone that some part is trained on."""
    used = {
        (stay.case.case, stay.case.patient)
        for work in works
        for stay in work.stays
        if stay.case.split in ("", "train")
    }
    return [
        replace(each, cases=tuple(c for c in each.cases if (c.case, c.patient) in used))
        for each in subsets
    ]
