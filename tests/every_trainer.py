"""A small training of every kind of trainer, on made-up data: what all of them must bear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from age_sets import IXI_HEADER, ixi_rows, write_ixi_table
from brains import write_ixi
from chest_phantom import case_list, lung_films
from icu_minis import challenge
from region_heads import write_head

from medview.domain.progress import Silent
from medview.domain.training import Method, TrainRequest
from medview.services.recipes import read_recipe
from medview.services.training import TRAINERS

EPOCHS = 4


@dataclass(frozen=True, slots=True)
class Kind:
    """A model, how its data are written into a folder, settings that make it small.

    `rate` is the setting of its learning rate, `part` a method by which a part of it learns.
    """

    model: str
    write: Callable[[Path], object]
    settings: tuple[str, ...]
    rate: str = "rate"
    part: Method = "head"

    def request(self, folder: Path, out: Path, *settings: str, **more: Any):
        """A training of the data in a folder; `more` are fields of the request."""
        recipe = read_recipe(self.model, None, (*self.settings, *settings))
        return TrainRequest((str(folder),), str(out), recipe, threads=1, device="cpu", **more)

    def train(self, folder: Path, out: Path, *settings: str, **more: Any):
        """Train to the end in this process; the answer."""
        module, _, function = TRAINERS[self.model].partition(":")
        work = getattr(import_module(module), function)
        return work(Silent(), self.request(folder, out, *settings, **more))


def brains(folder: Path) -> None:
    """Two normal brains."""
    write_ixi(folder / "ixi-t1", "IXI012-HH-1211", "IXI013-HH-1212")


def ages(folder: Path) -> None:
    """Measures of 24 people of three sites."""
    write_ixi_table(folder, ixi_rows(24), IXI_HEADER)


def labelled_heads(folder: Path) -> None:
    """A head with the labels of its regions."""
    write_head(folder / "ixi-t1", "IXI012-HH-1211-T1_ds")


KINDS = (
    Kind(
        "anomaly",
        brains,
        (
            *(f"epochs={EPOCHS}", "steps=1", "batch=2", "attention_batch=2", "val_slices=3"),
            *("bfloat16=false", "network.attention=false"),
        ),
    ),
    Kind(
        "brain-age",
        ages,
        ("members=2", f"train.epochs={EPOCHS}", "train.batch=16", "train.health_every=2"),
        "train.rate",
    ),
    Kind(
        "brain-age-armed",
        ages,
        (
            *(f"epochs={EPOCHS}", "members=1", "folds=0", "leave_out=false", "compare=false"),
            *("width=8", "width_2=4", "batch=8"),
        ),
        part="site-effects",
    ),
    Kind(
        "cxr",
        lambda folder: case_list(folder, 12),
        (
            *("method=stl-prognosis", "size=64", "copies=1", f"epochs={EPOCHS}", "steps=1"),
            *("batch=8", "warmup=1", "val_share=0"),
        ),
    ),
    Kind(
        "cxr-armed",
        lambda folder: case_list(folder, 12),
        (
            *("method=stl-prognosis", "size=64", "copies=1", f"epochs={EPOCHS}", "steps=1"),
            *("batch=8", "warmup=1", "val_share=0"),
        ),
        part="site-effects",
    ),
    Kind(
        "icu",
        lambda folder: challenge(folder, 12),
        (
            *("hidden=8", "width=8", "heads=2", "feed_forward=8", f"epochs={EPOCHS}", "batch=6"),
            *("members=1", "hourly_members=0", "folds=0"),
        ),
    ),
    Kind(
        "icu-armed",
        lambda folder: challenge(folder, 12),
        (
            *("hidden=8", "width=8", "heads=2", "feed_forward=8", f"epochs={EPOCHS}", "batch=6"),
            *("members=1", "hourly_members=0", "folds=0"),
        ),
        part="site-effects",
    ),
)

STEPS_OF_OTHERS = (
    Kind(
        "region-net",
        labelled_heads,
        (f"epochs={EPOCHS}", "steps=1", "batch=1", "folds=0", "bfloat16=false"),
    ),
    Kind("lung-net", lung_films, (f"epochs={EPOCHS}", "batch=4", "folds=0")),
)
"""Networks that a step of a model needs; they are trained from nothing only."""
