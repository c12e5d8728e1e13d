"""Chest films as numbers, without pictures: what a training is given, in tenths of a second."""

from types import SimpleNamespace

import numpy as np
import torch

from medview.learning.cxr_given import Given
from medview.learning.cxr_recipe import DEEP
from medview.learning.film_set import FilmSet, targets_of
from medview.learning.subset import TrainCase

FEATURES = 8
NAN = float("nan")
RECIPE = {"copies": 1, "adapter": 2, "epochs": 12, "steps": 4, "batch": 32, "warmup": 2,
          "patience": 12, "rate": 1e-2, "val_share": 0.2, **DEEP}  # fmt: skip


def cases(n=80, seed=0, view=False):
    """Half with an outcome, half with scores. Of the site "b" nearly all are severe."""
    rng = np.random.default_rng(seed)
    found = []
    for k in range(n):
        site = "ab"[k // 2 % 2]
        sick = rng.random() < (0.9 if site == "b" else 0.1)
        scores = rng.integers(2 * sick, 2 + 2 * sick, 6)
        cells = {"prognosis": "SEVERE" if sick else "MILD"}
        if k % 2:
            cells = {"brixia": "".join(map(str, scores))}
        if view:
            cells["view"] = ("PA", "AP")[k // 4 % 2]
        found.append(TrainCase(f"c{k}", f"p{k}", {}, "film", site=site, cells=cells))
    return tuple(found)


def severe(case):
    """Severe by its outcome or by its scores."""
    return case.cells.get("prognosis") == "SEVERE" or max(case.cells.get("brixia", "0")) > "1"


def given(n=80, seed=0, view=False):
    """Features of films that say something of a severe film, and nothing of its site."""
    films = cases(n, seed, view)
    rng = np.random.default_rng(seed + 1)
    pooled = rng.normal(0, 1, (n, 1, 7, FEATURES))
    pooled[..., 0] += 0.8 * np.array([severe(case) for case in films])[:, None, None]
    one = FilmSet(
        films,
        np.zeros((n, 1, 32, 32), np.uint8),
        np.full((n, 1, 6, 1, 1), 1 / 6, np.float16),
        np.zeros((n, 1), np.bool_),
        np.ones(n, np.bool_),
    )
    labels = {task: torch.from_numpy(values) for task, values in targets_of(films).items()}
    backbone = SimpleNamespace(features=FEATURES)
    return Given(one, backbone, -1, labels, labels, pooled=torch.from_numpy(pooled).float())


def labelled(patients, outcome, zones=None):
    """Films of patients (a letter each) with their outcome; `zones` is one score for all six."""
    cases = [TrainCase(f"c{n}", who, {}, "film") for n, who in enumerate(patients)]
    labels = {"prognosis": torch.tensor(outcome)}
    if zones is not None:
        labels["zones"] = torch.tensor([[value] * 6 for value in zones])
    return SimpleNamespace(films=SimpleNamespace(cases=cases), labels=labels)
