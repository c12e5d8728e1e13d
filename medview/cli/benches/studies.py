"""A study for each shipped model, made on the spot: what a run takes depends on its size alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medview.domain.resources import resource
from medview.services.demo import study_folder

FILM_SIDE = 1024
_HEAD_MM3 = 1.4e6
HEAD_MM = 1.5
"""Side of a voxel of the made-up brains."""


@dataclass(frozen=True, slots=True)
class Study:
    """What a model is measured on: its key ("ID" or "ID@VERSION"), words, and its files."""

    model: str
    what: str
    files: Callable[[Path], tuple[Path, ...]]


def brain(folder: Path) -> tuple[Path, ...]:
    """The study that comes with the program: a real head."""
    return (study_folder(),)


def film(folder: Path) -> tuple[Path, ...]:
    """A drawn chest film: a body with two darker lungs and a brighter heart."""
    rows, columns = np.mgrid[:FILM_SIDE, :FILM_SIDE] / FILM_SIDE
    body = ((rows - 0.55) / 0.52) ** 2 + ((columns - 0.5) / 0.48) ** 2 < 1
    grey = 30.0 + 170 * body + 10 * (rows % 0.09 < 0.025) * body
    for middle in (0.29, 0.71):
        grey -= 110 * (((rows - 0.5) / 0.31) ** 2 + ((columns - middle) / 0.165) ** 2 < 1)
    grey += 60 * (((rows - 0.66) / 0.16) ** 2 + ((columns - 0.56) / 0.14) ** 2 < 1)
    grey += np.random.default_rng(0).normal(0, 4, grey.shape)
    Image.fromarray(grey.clip(0, 255).astype(np.uint8)).save(folder / "chest.png")
    return (folder / "chest.png",)


def stay(folder: Path) -> tuple[Path, ...]:
    """Two days in intensive care, measured every hour; one row lies before admission."""
    lines = ["Hours,HR,Temp,GCS,Lactate", "-3,90,37,15,"]
    for hour in range(48):
        values = (hour, 80 + hour % 30, 36.5 + hour / 40, 15 - hour // 12, 1 + hour / 20)
        lines.append(",".join(f"{value:g}" for value in values))
    (folder / "stay.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return (folder / "stay.csv",)


def laboratory_and_film(folder: Path) -> tuple[Path, ...]:
    """Laboratory values of three days, and a film."""
    days = "Day,CRP,LDH,lymphocytes\n0,12,250,1.2\n1,80,400,0.9\n2,120,520,0.6\n"
    (folder / "labs.csv").write_text(days, "utf-8")
    return (*film(folder), folder / "labs.csv")


def volumes(folder: Path) -> tuple[Path, ...]:
    """Volumes of brain regions by the names that the weights know."""
    settings = _settings("brain-age")
    names = settings["columns"]["smri"]
    sizes = np.random.default_rng(0).uniform(2e3, 2e4, len(names)).tolist()
    values = dict(zip(names, sizes, strict=True)) | {settings["divide_by"]: _HEAD_MM3}
    return (_row(folder / "volumes.csv", values),)


def measures(folder: Path) -> tuple[Path, ...]:
    """Measures of the cortex: the mean of those that the weights were trained on."""
    settings = _settings("brain-age-armed")
    values = dict(zip(settings["measures"], settings["mean"], strict=True))
    return (_row(folder / "measures.csv", values),)


def head(seed: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A made-up brain (slice, row, column) at 1.5 mm: an oval with texture, and its mask."""
    z, y, x = np.indices((100, 130, 110)).astype(np.float32)
    mask = ((z - 50) / 45) ** 2 + ((y - 65) / 58) ** 2 + ((x - 55) / 48) ** 2 < 1
    texture = np.random.default_rng(seed).normal(0.45, 0.1, mask.shape)
    return np.where(mask, np.clip(texture, 0, 1), 0).astype(np.float32), np.asarray(mask)


def heads(folder: Path, count: int) -> Path:
    """A case list of made-up brains, each of a patient of its own."""
    grid = np.diag([-HEAD_MM, -HEAD_MM, HEAD_MM, 1.0])
    rows = []
    for number in range(count):
        names = (f"head{number}.nii", f"mask{number}.nii")
        values, mask = head(number)
        for name, array in zip(names, (values * 1000, mask), strict=True):
            nibabel.save(nibabel.Nifti1Image(array.T.astype(np.int16), grid), folder / name)
        rows.append((f"head{number}", *names, 0))
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("case", "t1", "brain", "label"), *rows])
    return folder / "cases.csv"


STUDIES = (
    Study("anomaly", "a head", brain),
    Study("brain-age", "a head", brain),
    Study("brain-age", "volumes of regions", volumes),
    Study("brain-age-armed", "measures of the cortex", measures),
    Study("cxr", "a film", film),
    Study("cxr-armed", "a film", film),
    Study("icu", "a stay of 48 h", stay),
    Study("icu-armed", "a stay of 48 h", stay),
    Study("icu@1.0-hannover", "laboratory and film", laboratory_and_film),
)


def _settings(model: str) -> dict[str, Any]:
    card = json.loads(resource("weights", model, "card.json").read_text("utf-8"))
    return dict(card["settings"])


def _row(path: Path, values: Mapping[str, float]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(values)
        table.writerow([repr(float(value)) for value in values.values()])
    return path
