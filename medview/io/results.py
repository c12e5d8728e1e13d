"""Results on disk: result.json, maps/*.nii.gz and tables (CSV), all of it or nothing."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from medview.domain.card import ModelCard
from medview.domain.errors import ReadError
from medview.domain.exam import Exam
from medview.domain.geometry import Geometry
from medview.domain.overlay import MapKind, ScalarMap
from medview.domain.prediction import Prediction, Score, SlicePass, SliceScore, TracePoint
from medview.domain.progress import Progress
from medview.domain.volume import Note, Volume, Window
from medview.io import nifti
from medview.io.atomic import whole_folder
from medview.io.cards import CARD, read_card, write_card
from medview.io.plain import plain, record_of
from medview.io.resultjson import MAPS, geometry_of, grid_dict, map_file, prediction_of, result_dict

RESULT = "result.json"
SLICES = "slices.csv"
TRACE = "trace.csv"
PASSES = "passes.csv"
_IMAGE = "image"
_ADDED = {"explained"}
"""Columns that results of earlier versions do not have; the last ones of their tables."""
Row = TypeVar("Row", SliceScore, TracePoint, SlicePass)
_NAME = re.compile(r"[A-Za-z0-9_-]+")
# Packing is the slow part and lets go of the interpreter.
_HANDS = 2


@dataclass(frozen=True, slots=True, eq=False)
class StoredResult:
    """A result folder: what the model said, on which image and of which examination.

    `image`, `exam` and `card` are None where they were not stored; `sha256` is of the bytes of
    result.json.
    """

    prediction: Prediction
    image: Volume | None
    exam: Exam | None
    card: ModelCard | None
    sha256: str


def write_prediction(
    job: Progress,
    prediction: Prediction,
    out_dir: Path,
    image: Volume | None = None,
    exam: Exam | None = None,
    card: ModelCard | None = None,
) -> dict[str, Any]:
    """Write a result folder and return the object of ``medview.result/1`` that lies in it.

    With `image`, the volume the model was given is kept as ``maps/image.nii.gz``, so that a
    report can be made of the folder alone. Of `exam` only what is no identity is kept. `card`
    is kept as card.json, because the shipped one may be of other weights by then.

    Raises
    ------
    WriteError
        If the folder cannot be written or the disk is full; nothing new stands at `out_dir`
        then, and an earlier result there is untouched.
    """
    body = result_dict(prediction)
    body["exam"] = plain(exam.without_identity()) if exam else None
    body["image"] = _image_entry(image) if image else None
    files: dict[str, Volume | ScalarMap] = {
        map_file(item.name): _stored(item) for item in prediction.maps
    }
    if image:
        files[map_file(_IMAGE)] = image
    with whole_folder(Path(out_dir)) as draft:
        (draft / MAPS).mkdir()
        _write_files(job, draft, files)
        _write_rows(draft / SLICES, SliceScore, prediction.slices)
        if prediction.trace:
            _write_rows(draft / TRACE, TracePoint, prediction.trace)
        if prediction.slice_passes:
            _write_rows(draft / PASSES, SlicePass, prediction.slice_passes)
        if card:
            write_card(card, draft / CARD)
        text = json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False)
        (draft / RESULT).write_text(text + "\n", "utf-8")
    return body


def read_prediction(job: Progress, folder: Path) -> Prediction:
    """Read a result folder: the same values that were written.

    Raises
    ------
    ReadError
        If something is missing or damaged; it names the file.
    """
    return read_result(job, folder).prediction


def read_scores(folder: Path) -> tuple[Score, ...]:
    """The scores of a result alone, without its maps.

    Raises
    ------
    ReadError
        If there is no result, or a damaged one.
    """
    _, body = _read_body(Path(folder))
    try:
        return prediction_of(body).scores
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(RESULT, "is not a result of this program") from error


def read_result(job: Progress, folder: Path) -> StoredResult:
    """Read a result folder with the image and the examination it was made from.

    Raises
    ------
    ReadError
        As ``read_prediction``.
    WeightsError
        If there is a card that is damaged or silent.
    """
    folder = Path(folder)
    source, body = _read_body(folder)
    try:
        prediction = prediction_of(body)
        exam = record_of(Exam, body["exam"]) if body.get("exam") else None
        image = _read_image(job, folder, body["image"]) if body.get("image") else None
        maps = tuple(_read_map(job, folder, entry) for entry in body["maps"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(RESULT, "is not a result of this program") from error
    slices, trace = _read_slices(folder / SLICES), _read_trace(folder / TRACE)
    passes = _read_passes(folder / PASSES)
    prediction = replace(prediction, maps=maps, slices=slices, trace=trace, slice_passes=passes)
    card = read_card(folder / CARD) if (folder / CARD).is_file() else None
    return StoredResult(prediction, image, exam, card, hashlib.sha256(source).hexdigest())


def _write_files(job: Progress, draft: Path, files: dict[str, Volume | ScalarMap]) -> None:
    with ThreadPoolExecutor(_HANDS) as pool:
        tasks = [pool.submit(nifti.write, item, draft / name) for name, item in files.items()]
        try:
            for done, task in enumerate(tasks):
                job.report(done, len(tasks), "writing maps")
                job.check()
                task.result()
        finally:
            for task in tasks:
                task.cancel()
    job.report(len(files), len(files))


def _stored(item: ScalarMap) -> ScalarMap:
    """The map as it lies on disk: int16 where that is exact, else float32."""
    array = item.array
    exact = array.dtype.kind in "iub" or item.kind in ("mask", "labels")
    if exact and np.array_equal(array, array.astype(np.int16)):
        return replace(item, array=array.astype(np.int16))
    return replace(item, array=array.astype(np.float32))


def _write_rows(path: Path, kind: type[Any], rows: Sequence[object]) -> None:
    """One row each; repr() of a float is read back as the same float."""
    columns = [field.name for field in fields(kind)]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        for each in rows:
            table.writerow([_cell(getattr(each, name)) for name in columns])


def _cell(value: float | None) -> str:
    return "" if value is None or value != value else repr(value)


def _read_slices(path: Path) -> tuple[SliceScore, ...]:
    return _read_rows(path, SliceScore, _slice)


def _read_trace(path: Path) -> tuple[TracePoint, ...]:
    """The hours of a stay; none where the model writes no trace."""
    return _read_rows(path, TracePoint, _point) if path.is_file() else ()


def _read_passes(path: Path) -> tuple[SlicePass, ...]:
    """Scores of slices after fewer passes; none where the model draws nothing."""
    return _read_rows(path, SlicePass, _pass) if path.is_file() else ()


def _slice(number: str, *figures: str) -> SliceScore:
    return SliceScore(int(number), *(float(cell or "nan") for cell in figures))


def _pass(samples: str, number: str, score: str) -> SlicePass:
    return SlicePass(int(samples), int(number), float(score))


def _point(hour: str, risk: str, *others: str) -> TracePoint:
    return TracePoint(float(hour), float(risk), *(float(c) if c else None for c in others))


def _read_rows(path: Path, kind: type[Any], made: Callable[..., Row]) -> tuple[Row, ...]:
    """One record a row, from the cells in the order of the fields of `kind`."""
    columns = [field.name for field in fields(kind)]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            absent = _ADDED - set(table.fieldnames or ())
            columns = [name for name in columns if name not in absent]
            return tuple(made(*(row[name] for name in columns)) for row in table)
    except OSError as error:
        raise _damaged(path.name, "cannot be read") from error
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path.name, f"is not a table of {path.stem}") from error


def _read_body(folder: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        source = (folder / RESULT).read_bytes()
    except OSError as error:
        raise ReadError(
            "holds no result.json",
            file=folder.name,
            do='Choose a folder that "medview run" has written.',
        ) from error
    try:
        return source, dict(json.loads(source))
    except (ValueError, TypeError, RecursionError) as error:
        raise _damaged(RESULT, "is damaged") from error


def _read_map(job: Progress, folder: Path, entry: dict[str, Any]) -> ScalarMap:
    name, grid = str(entry["name"]), geometry_of(entry["grid"])
    if not _NAME.fullmatch(name):
        raise ValueError("the name of a map would lead out of the folder")
    if entry["kind"] not in get_args(MapKind):
        raise ValueError("a kind of map that this program does not draw")
    low, high = entry["range"]
    array = _read_array(job, folder / map_file(name), grid)
    labels = entry.get("labels", {})  # in whatever order another program has left them
    return ScalarMap(
        name=name,
        array=array.astype(np.dtype(entry["dtype"]), copy=False),
        geometry=grid,
        kind=entry["kind"],
        unit=str(entry["unit"]),
        range=(low, high),
        title=str(entry["title"]),
        labels=tuple(str(labels[str(n)]) for n in range(1, len(labels) + 1)),
    )


def _read_array(job: Progress, path: Path, grid: Geometry) -> NDArray[np.generic]:
    """Values (k, j, i) of a file that must lie where result.json says."""
    found = nifti.find(path) if path.is_file() else None
    if not found:
        raise _damaged(path.name, "is missing or no NIfTI file")
    volume = nifti.load(job, found[0].series)
    known = grid.orientation_known and volume.geometry.orientation_known
    # A NIfTI header keeps seven digits, so places agree within a hundredth of a millimetre.
    if volume.geometry.shape != grid.shape or (
        known and not volume.geometry.same_grid(grid, tolerance_mm=0.01)
    ):
        raise _damaged(path.name, "does not lie where result.json says")
    return volume.array


def _image_entry(image: Volume) -> dict[str, Any]:
    return {
        "file": map_file(_IMAGE),
        "dtype": str(image.array.dtype),
        "grid": grid_dict(image.geometry),
        "quantity": image.quantity,
        "modality": image.modality,
        "windows": [plain(window) for window in image.windows],
        "inverted": image.inverted,
        "padding": plain(image.padding),
        "missing_slices": list(image.missing_slices),
        "lossy": image.lossy,
        "warnings": [plain(note) for note in image.warnings],
    }


def _read_image(job: Progress, folder: Path, entry: dict[str, Any]) -> Volume:
    grid, padding = geometry_of(entry["grid"]), entry["padding"]
    array = _read_array(job, folder / map_file(_IMAGE), grid)
    return Volume(
        array=array.astype(np.dtype(entry["dtype"]), copy=False),
        geometry=grid,
        quantity=entry["quantity"],
        modality=entry["modality"],
        windows=tuple(record_of(Window, each) for each in entry["windows"]),
        inverted=entry["inverted"],
        padding=(padding[0], padding[1]) if padding else None,
        missing_slices=tuple(entry["missing_slices"]),
        lossy=entry["lossy"],
        warnings=tuple(record_of(Note, each) for each in entry["warnings"]),
    )


def _damaged(file: str, what: str) -> ReadError:
    return ReadError(what, code="MV-IO-301", file=file, do="Run the model again.")
