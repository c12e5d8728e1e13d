"""What a report is made from when nothing is open: result folders and studies on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from medview.domain.card import ModelCard
from medview.domain.errors import InputRefused
from medview.domain.exam import Exam
from medview.domain.formats import is_table
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import InputRef, Prediction
from medview.domain.record import Record
from medview.domain.study import Catalogue, Series
from medview.domain.volume import Volume
from medview.io.hashing import file_sha256, volume_sha256
from medview.io.pdf import PrintedReport
from medview.io.results import RESULT, StoredResult
from medview.services.library import LOAD, SCAN
from medview.services.offers import TABLES, shipped_cards
from medview.services.report_manifest import signatures_of
from medview.services.report_material import Material, Outcome
from medview.services.report_text import ReaderText
from medview.services.result_maps import main_map, regions_map, uncertainty_map

READ = "medview.io.results:read_result"
READ_TABLE = "medview.io.record:read_table"
READ_REPORT = "medview.io.pdf:read_report"

# Runs "module:function" with arguments in the child of a lane and returns what it gives.
Call = Callable[..., object]


def gather(call: Call, source: Path, study: Path | None = None) -> Material:
    """Collect what a report of a result folder, of several of one study, or of a study needs.

    With `study` the pictures, the patient and the record of a stay come from there, and its
    pixels must be those the model was given; a study that is a table alone gives the record,
    and must be the one the model was given.
    Without it the folder's own image is shown and the patient is not named.

    Raises
    ------
    InputRefused
        If there is neither a result nor an image, if results belong to different studies or lie
        on different grids, or if the study is not the one that the result is about.
    """
    folders = result_folders(source)
    if not folders:
        return _study_alone(call, source)
    stored = [cast(StoredResult, call("files", READ, folder)) for folder in folders]
    _check_one_study(stored, source)
    _check_one_grid(dict(zip((each.name for each in folders), stored, strict=True)), source)
    cards = {card.id: card for card in shipped_cards()}
    outcomes = tuple(
        Outcome(each.prediction, each.card or card_for(each.prediction, cards), each.sha256)
        for each in stored
    )
    # Of several results one may be of a table alone.
    first = next((each for each in stored if each.exam is not None), stored[0])
    exam, image = first.exam or Exam(), first.image or seen_as_image(first.prediction)
    images = [each for each in first.prediction.inputs if each.role not in TABLES]
    if study is not None and is_table(study):
        _check_table(study, outcomes)
    elif study is not None and images:
        exam, image = _from_study(call, study, images[0])
    return Material(
        exam=exam,
        volume=image,
        outcomes=outcomes,
        record=_record_in(call, study, outcomes) if study is not None else None,
    )


def find_table(study: Path, sha256: str) -> Path | None:
    """The table of that hash: the file itself, or one somewhere below the folder."""
    paths = sorted(study.rglob("*")) if study.is_dir() else [study]
    tables = (each for each in paths if is_table(each) and each.is_file())
    return next((each for each in tables if file_sha256(each) == sha256), None)


def _check_table(table: Path, outcomes: tuple[Outcome, ...]) -> None:
    """Refuse a table that no result was made from: left out in silence it would be missed."""
    inputs = (each for outcome in outcomes for each in outcome.prediction.inputs)
    if not any(find_table(table, each.sha256) for each in inputs if each.role in TABLES):
        raise InputRefused(
            "is not the table that this result is about" if table.exists() else "does not exist",
            file=table.name,
            do="Choose the table that the model was run on, or leave it out.",
        )


def _record_in(call: Call, study: Path, outcomes: tuple[Outcome, ...]) -> Record | None:
    """The time series that a result was made from, as the study holds it."""
    inputs = (each for outcome in outcomes for each in outcome.prediction.inputs)
    wanted = next((each for each in inputs if each.role == "series"), None)
    table = find_table(study, wanted.sha256) if wanted is not None else None
    if table is None:
        return None
    _, _, found = cast(tuple[str, InputRef, Record | None], call("files", READ_TABLE, table))
    return found


def result_folders(source: Path) -> tuple[Path, ...]:
    """The folder itself if it holds a result, else those directly below it that do.

    The file result.json stands for its folder.
    """
    if source.name == RESULT and source.is_file():
        return (source.parent,)
    if (source / RESULT).is_file():
        return (source,)
    if not source.is_dir():
        return ()
    return tuple(sorted(each for each in source.iterdir() if (each / RESULT).is_file()))


def card_for(prediction: Prediction, cards: dict[str, ModelCard]) -> ModelCard | None:
    """The card of the very weights that were run; None when other ones are shipped by now."""
    card = cards.get(prediction.model)
    return card if card and card.weights_sha256 == prediction.weights_sha256 else None


def seen_as_image(prediction: Prediction) -> Volume | None:
    """What the model saw, for want of the image itself; None if it was not kept either."""
    seen = prediction.map("seen")
    return Volume(seen.array, seen.geometry) if seen else None


def find_input(
    call: Call, catalogue: Catalogue, wanted: InputRef
) -> tuple[Series | None, Volume | None, str]:
    """Find the series a model was given: by its UID, else by its size and pixels.

    Returns the series, its volume and the hash of its pixels; a series of the same UID with
    other pixels is returned, too, with the hash they have now.
    """
    by_name = [each for each in catalogue.all_series() if _is_named(each, wanted)]
    by_size = [
        each for each in catalogue.all_series() if each.size == wanted.size and each not in by_name
    ]
    nearest: tuple[Series | None, Volume | None, str] = (None, None, "")
    for series in (*by_name, *by_size):
        volume = cast(Volume, call("files", LOAD, series))
        digest = volume_sha256(volume)
        if digest == wanted.sha256:
            return series, volume, digest
        if series in by_name:
            nearest = series, volume, digest
    return nearest


def with_words(
    material: Material,
    reader: ReaderText,
    *,
    signer: str = "",
    role: str = "",
    private: bool = False,
) -> Material:
    """Add the reader's words and name.

    Raises
    ------
    InputRefused
        If the reader answers a finding that no result has: a typing error would lose an answer.
    """
    there = sorted({found.id for each in material.outcomes for found in each.prediction.findings})
    unknown = sorted(reader.verdicts.keys() - set(there))
    if unknown:
        raise InputRefused(
            f"under Agreement there is an answer to finding {unknown[0]}, which the result has not",
            do=f"It has: {', '.join(map(str, there))}." if there else "It has no findings.",
        )
    return replace(material, reader=reader, signer=signer, role=role, private=private)


def amending(call: Call, material: Material, earlier: Path) -> Material:
    """Add who signed an earlier report, so that the new one says what became different.

    Raises
    ------
    InputRefused
        If that report was never signed, or was changed after it was written.
    """
    printed = cast(PrintedReport, call("files", READ_REPORT, earlier))
    signatures = signatures_of(printed.manifest)
    if not printed.intact:
        raise InputRefused(
            "was changed after it was written", file=earlier.name, do="Amend the report as signed."
        )
    if not signatures:
        raise InputRefused(
            "was never signed, so there is nothing to amend",
            file=earlier.name,
            do="Leave it out and sign the new report.",
        )
    return replace(material, history=signatures)


def _is_named(series: Series, wanted: InputRef) -> bool:
    return series.uid == wanted.series and series.stack == wanted.stack


def _study_alone(call: Call, source: Path) -> Material:
    """A report without a result: the pictures of the largest series."""
    catalogue = cast(Catalogue, call("files", SCAN, (source,)))
    with_pixels = [each for each in catalogue.all_series() if each.geometry is not None]
    if not with_pixels:
        raise InputRefused(
            "holds neither a result nor an image",
            file=source.name,
            do="Choose a folder of a result, or a study.",
        )
    series = max(with_pixels, key=lambda each: (each.size[2], each.size[0] * each.size[1]))
    return Material(exam=_exam(catalogue, series), volume=cast(Volume, call("files", LOAD, series)))


def _from_study(call: Call, study: Path, wanted: InputRef) -> tuple[Exam, Volume]:
    catalogue = cast(Catalogue, call("files", SCAN, (study,)))
    series, volume, digest = find_input(call, catalogue, wanted)
    if series is None or volume is None or digest != wanted.sha256:
        raise InputRefused(
            "is not the study that this result is about: its pixels are other ones",
            file=study.name,
            do="Choose the study that the model was run on, or leave it out.",
        )
    return _exam(catalogue, series), volume


def _exam(catalogue: Catalogue, series: Series) -> Exam:
    owner = catalogue.owner(series)
    assert owner is not None  # the series was found in the catalogue
    return Exam.of(*owner, series)


def _check_one_study(stored: list[StoredResult], source: Path) -> None:
    inputs = (each for result in stored for each in result.prediction.inputs)
    studies = {each.study for each in inputs if each.role not in TABLES}
    if len(studies) > 1:
        raise InputRefused(
            f"holds results of {len(studies)} studies; a report is about one",
            file=source.name,
            do="Choose the folder of one result.",
        )


def _check_one_grid(stored: Mapping[str, StoredResult], source: Path) -> None:
    """Refuse maps of several series, by folder: they cannot lie on the image that is shown."""
    shown = {name: map_ for name, each in stored.items() if (map_ := _shown_map(each))}
    grids = [map_.geometry for map_ in shown.values()]
    if all(grid.same_grid(grids[0]) for grid in grids[1:]):
        return
    told = ", ".join(f'"{name}" ({_series_words(stored[name])})' for name in shown)
    raise InputRefused(
        f"holds results of series with different grids: {told}; a report shows one",
        file=source.name,
        do="Choose the folder of one result.",
    )


def _shown_map(result: StoredResult) -> ScalarMap | None:
    made = result.prediction
    return main_map(made) or uncertainty_map(made) or regions_map(made)


def _series_words(result: StoredResult) -> str:
    """What a reader knows a series by: its number, description and size."""
    exam = result.exam or Exam()
    number = "" if exam.series_number is None else f"series {exam.series_number}"
    description = f'"{exam.series_description}"' if exam.series_description else ""
    size = " x ".join(str(n) for n in result.prediction.inputs[0].size)
    return " ".join(filter(None, (number, description, size)))
