"""People of three sites whose brain measures follow their age, off by a shift of the site."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from medview.domain.prediction import Prediction, RunRequest
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.learning.armed_age_recipe import AgeRecipe
from medview.learning.armed_age_run import run_armed_age
from medview.learning.armed_age_table import plans_for, table_of
from medview.learning.armed_age_trainer import AgeTrainer
from medview.learning.armed_age_training import fit
from medview.learning.cases import find_subsets

QUICK = {
    "epochs": 30, "batch": 24, "members": 2, "folds": 3, "width": 12, "width_2": 8,
    "dropout": 0.0, "input_dropout": 0.0, "rate": 1e-2,
}  # fmt: skip
SHIFT = {"North": 6.0, "South": -6.0, "West": 0.0}
"""By how many years the measures of a site lie about the age."""


def age_cases(folder: Path, n: int = 72, seed: int = 0, *, first: int = 0) -> Path:
    """A case list: five measures that follow the age, off by a shift of the site."""
    dice = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    lines, table = [], []
    for number in range(first, first + n):
        site, age = list(SHIFT)[number % 3], float(dice.uniform(20, 60))
        brain = (age - SHIFT[site]) * np.array([1, -1, 0.5, 0.2, -0.3]) + dice.normal(0, 1, 5)
        table.append([f"c{number}", *(f"{v:.4f}" for v in brain)])
        lines.append([f"c{number}", f"p{number}", site, f"{age:.2f}", "smri.csv"])
    for name, header, rows in (
        ("smri.csv", ["case", "m1", "m2", "m3", "m4", "m5"], table),
        ("cases.csv", ["case", "patient", "site", "age_years", "smri"], lines),
    ):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
    return folder / "cases.csv"


def table_lines(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def train_ages(data: Path, out: Path, **changes: object) -> dict[str, object]:
    request = TrainRequest((str(data),), str(out), {**QUICK, **changes}, threads=1)
    return fit(Silent(), request)


def age_of(weights: Path, table: Path, **asked: object) -> Prediction:
    request = RunRequest(
        "brain-age-armed", {}, (), weights=str(weights / "weights.safetensors"),
        tables={"smri": str(table)}, **asked,  # type: ignore[arg-type]  # fields of the request
    )  # fmt: skip
    return run_armed_age(Silent(), request)


def one_row(folder: Path, names: str = "m1,m2,m3,m4,m5", values: str = "40,-40,20,8,-12") -> Path:
    path = folder / "one.csv"
    path.write_text(f"{names}\n{values}\n", "utf-8")
    return path


def age_trainer(folder: Path) -> AgeTrainer:
    table, _ = table_of(find_subsets((str(age_cases(folder)),), "brain-age-armed"))
    recipe = AgeRecipe.of({**QUICK, "epochs": 10, "leave_out": False, "dropout": 0.2})
    return AgeTrainer(recipe, table, plans_for(table, recipe), 3)
