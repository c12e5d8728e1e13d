"""What ``medview bench infer`` runs in the child for models of one film and of one stay."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from medview.cli.benches.infer import Asked
from medview.cli.benches.studies import FILM_SIDE, film
from medview.domain.prediction import InputRef, RunRequest
from medview.domain.progress import Progress, Silent
from medview.learning.cxr_run import run_cxr
from medview.learning.icu_grid import Events, clean, discretise
from medview.learning.icu_variables import shipped_map
from medview.learning.images import read_image

EVENTS = 440
"""Measurements of a made-up stay, as many as a stay of PhysioNet 2012 has."""


@dataclass(frozen=True, slots=True)
class Singles:
    """Best seconds for one film once the weights are loaded, and for all stays in bins."""

    film_s: float
    bins_s: float
    stays: int
    side: int


def time_singles(job: Progress, asked: Asked, stays: int) -> Singles:
    """Ask the shipped chest weights of a drawn film, and put made-up stays into bins."""
    if asked.threads:
        torch.set_num_threads(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        volume = read_image(film(Path(folder))[0])
    ref = InputRef("film", "", "", 0, "", (FILM_SIDE, FILM_SIDE, 1))
    request = RunRequest("cxr", {"film": volume}, (ref,), device=asked.device, seed=asked.seed)
    run_cxr(Silent(), request)  # loads the weights
    film_s = float("inf")
    for turn in range(asked.rounds):
        job.check()
        job.report(turn, asked.rounds, f"film, round {turn + 1} / {asked.rounds}")
        began = time.perf_counter()
        run_cxr(Silent(), request)
        film_s = min(film_s, time.perf_counter() - began)
    job.report(0, 1, f"{stays} stays in bins")
    variables = shipped_map("physionet2012")
    events = [drawn_stay(len(variables.variables), asked.seed + n) for n in range(stays)]
    began = time.perf_counter()
    for one in events:
        discretise(clean(one, variables)[0], variables, 48.0)
    return Singles(film_s, time.perf_counter() - began, stays, FILM_SIDE)


def drawn_stay(variables: int, seed: int) -> Events:
    """Measurements of 48 hours at random hours of random variables."""
    rng = np.random.default_rng(seed)
    hours = np.sort(rng.uniform(0, 48, EVENTS)).astype(np.float32)
    codes = rng.integers(0, variables - 4, EVENTS).astype(np.int16)
    return Events(hours, codes, rng.uniform(20, 100, EVENTS).astype(np.float32))
