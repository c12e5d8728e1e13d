"""What is left of a study outside the stores: copies for training, and what versions learnt."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from medview.domain.errors import DataError, WriteError
from medview.domain.local_case import case_name
from medview.domain.study import Patient, Study
from medview.io.atomic import write_error
from medview.io.identity import former_key
from medview.io.installation import keyed
from medview.io.seen import seen_of
from medview.io.tables import read_table
from medview.learning.case_list import write_rows
from medview.learning.patients import patient_hash
from medview.services.gathering import FOLDER, LIST
from medview.services.session_values import Message
from medview.services.versions import Version


def alias(study: Study) -> str:
    """What the audit trail calls a study: 8 hex digits, the same at this installation only."""
    return keyed(f"study\0{study.uid}".encode())[:8]


def learnt_from(patient: Patient, study: Study, versions: Iterable[Version]) -> tuple[str, ...]:
    """Versions of the user's own whose card counts the patient among those seen in training.

    By the keys that the program gives, and by the patient's id as a case list may name it.
    """
    named_by = (patient.id, patient.name) if patient.id or patient.name else ("", study.uid)
    named = {patient.key, former_key(*named_by), patient.id} - {""}
    hashes = {patient_hash(name) for name in named}
    return tuple(one.name for one in versions if one.own and seen_of(one.card, hashes))


def drop_copies(folder: Path, patient: Patient, study: Study) -> int:
    """Delete images, masks and lines of the study from the cases of studies read here.

    `folder` is the program's own. Returns how many files were deleted.

    Raises
    ------
    WriteError
        If a file cannot be deleted or the case list not be read or written.
    """
    names = {case_name(patient.key, series.key) for series in study.series}
    place = folder / FOLDER
    found = [path for path in place.glob("*/*.nii.gz") if path.name.partition(".")[0] in names]
    for path in found:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise write_error(path, error) from error
    _drop_lines(place / LIST, names)
    return len(found)


def _drop_lines(file: Path, names: Collection[str]) -> None:
    if not file.is_file():
        return
    try:
        lines = read_table(file).by_name()
    except DataError as error:
        raise WriteError(
            "the list of training cases cannot be read, so lines of the study may stay in it",
            file=file.name,
            do=f"Delete the folder {FOLDER} in the settings folder.",
        ) from error
    kept = [line for line in lines if line.get("case") not in names]
    if len(kept) < len(lines):
        write_rows(file, kept)


def forget_training(
    folder: Path, patient: Patient, study: Study, versions: Iterable[Version]
) -> tuple[dict[str, Any], Message | None]:
    """Delete copies for training; what the audit trail says of it, and what the reader is told.

    `folder` is the program's own, `versions` are all there are.
    """
    copies, learnt = 0, learnt_from(patient, study, versions)
    message = Message(in_words(learnt), "warning") if learnt else None
    try:
        copies = drop_copies(folder, patient, study)
    except WriteError as error:
        error.do = f"{error.do} {in_words(learnt)}".strip()
        message = Message.of(error)
    return told(study, learnt, copies), message


def told(study: Study, versions: tuple[str, ...], copies: int) -> dict[str, Any]:
    """What the audit trail says of a study that was deleted; nothing of whom it is of."""
    return {
        "kind": "study",
        "study": alias(study),
        "training_copies": copies,
        "versions_that_learnt": list(versions),
    }


def in_words(versions: tuple[str, ...]) -> str:
    """What stays of a study that was deleted: versions that were trained on the patient."""
    if not versions:
        return ""
    names = ", ".join(versions)
    has, it = ("has", "it") if len(versions) == 1 else ("have", "they")
    return (
        f"{names} {has} learnt from this patient, and {it} cannot unlearn. Remove "
        f"{'it' if it == 'it' else 'them'} under Models, or train anew without the patient."
    )
