"""A small ICU model with effects of sites, trained on made-up stays."""

from __future__ import annotations

from pathlib import Path

from icu_minis import challenge

from medview.domain.prediction import RunRequest
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.learning.icu_run import run_icu
from medview.learning.icu_training import fit_armed
from medview.services.recipes import read_recipe

SMALL = (
    "hidden=8", "width=8", "heads=2", "feed_forward=8", "epochs=2", "batch=8", "members=1",
    "hourly_members=1", "hourly_hidden=8", "hourly_epochs=2", "rate=2e-2",
)  # fmt: skip
SITES = tuple(f"ICU type {n}" for n in (1, 2, 3, 4))


def train_stays(place: Path, *settings: str, stays: int = 24) -> Path:
    """Train in a folder on stays 100 and up; where the weights lie."""
    data = challenge(place / "data", stays)
    recipe = read_recipe("icu-armed", None, (*SMALL, *settings))
    fit_armed(Silent(), TrainRequest((str(data),), str(place / "out"), recipe, threads=1))
    return place / "out" / "weights.safetensors"


def stay(folder: Path) -> Path:
    """The table of a stay of 20 hours."""
    rows = [f"{hour},{80 + hour},37,{15 - hour // 5}" for hour in range(20)]
    (folder / "stay.csv").write_text("\n".join(["Hours,HR,Temp,GCS", *rows]) + "\n")
    return folder / "stay.csv"


def risk_at(weights: Path, table: Path, site: str | None, **more: object):
    """A run of the weights on a table."""
    request = RunRequest(
        "icu-armed", {}, (), tables={"series": str(table)}, weights=str(weights), site=site, **more
    )
    return run_icu(Silent(), request)
