"""Frames of many DICOM files to the series of a catalogue, with what is doubtful about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from medview.domain.discretion import tells_who
from medview.domain.errors import ReadError
from medview.domain.presentation import Presentation
from medview.domain.study import Choice, Patient, Series, Study, choice_for
from medview.domain.volume import Note
from medview.domain.wording import counted
from medview.io.dicom_classes import PARAMETRIC_MAP, SEGMENTATION
from medview.io.dicom_codecs import SYNTAXES
from medview.io.dicom_frames import Frames
from medview.io.dicom_headers import SIDES, FileInfo, Slice, iso_date
from medview.io.dicom_loss import loss_notes
from medview.io.dicom_mosaic import open_pixels
from medview.io.dicom_pixels import PixelFile
from medview.io.dicom_presentation import note_of
from medview.io.dicom_rescale import Rescale, rescale_of
from medview.io.dicom_stack import Stack, stacks_of
from medview.io.dicom_times import time_step_of
from medview.io.dicom_volumes import copies_note
from medview.io.identity import Found, patient_key, uid_of_text

BESIDE_MM = 20.0
_UNNAMED = "Presentation state"
_DOUBTS: tuple[tuple[str, Callable[[FileInfo], str]], ...] = (
    ("MODALITY_DOUBTFUL", lambda info: info.modality_doubt),
    ("VALUES_DOUBTFUL", lambda info: info.value_doubt),
    ("SIDE_DOUBTFUL", lambda info: info.side_doubt),
)
"""Warnings about what a file says of itself; empty where there is no doubt."""
_ESTIMATED = "sizes in mm are estimated: those at the detector, divided by the magnification {:g}"


def series_of(
    slices: Iterable[Slice],
    choices: Sequence[Choice] = (),
    states: Sequence[Presentation] = (),
) -> list[Found]:
    """Sort frames of any patients, studies and series into stacks, one `Found` for each.

    `choices` name the keys by which the reader wants volumes told apart (R15); `states` are
    presentation states that lie beside the images (R31).
    """
    groups: dict[tuple[str, str, str], list[Slice]] = defaultdict(list)
    for piece in slices:
        info = piece.info
        groups[_patient(info).key, _study_uid(info), _series_uid(info)].append(piece)
    found: list[Found] = []
    for key in sorted(groups):
        unique, notes = _without_copies(groups[key])
        wish = choice_for(choices, key[2]).split_by
        for number, stack in enumerate(stacks_of(unique, _same_values, wish)):
            found.append(_found(stack, number, notes, states))
    return found


def _patient(info: FileInfo) -> Patient:
    identity = (info.patient_id, info.patient_name)
    # Without any name, two studies are not assumed to be of one patient.
    key = patient_key(*identity) if any(identity) else patient_key("", info.study_uid)
    return Patient(
        key=key,
        id=info.patient_id,
        name=info.patient_name,
        sex=info.sex or None,
        birth_date=iso_date(info.birth_date) or None,
    )


def _study_uid(info: FileInfo) -> str:
    return info.study_uid or uid_of_text("study", info.study_date, str(info.path.parent))


def _series_uid(info: FileInfo) -> str:
    if info.series_uid:
        return info.series_uid
    return uid_of_text("series", _study_uid(info), str(info.series_number), info.modality)


def _without_copies(slices: list[Slice]) -> tuple[list[Slice], list[Note]]:
    """Leave out files that are there twice; keep those that only share a UID (A20)."""
    by_uid: dict[tuple[str, int], list[Slice]] = defaultdict(list)
    for piece in sorted(slices, key=lambda s: str(s.info.path)):
        by_uid[piece.info.instance_uid or str(piece.info.path), piece.frame].append(piece)
    unique: list[Slice] = []
    copies = conflicts = 0
    for same in by_uid.values():
        unique.append(same[0])
        for piece in same[1:]:
            if _same_values(piece, same[0]):
                copies += 1
            else:
                conflicts += 1
                unique.append(piece)
    notes = []
    if copies:
        notes.append(copies_note(copies))
    if conflicts:
        said = f"{counted(conflicts, 'image')} with the UID of another, and not like it"
        notes.append(Note("CONFLICT", said))
    return unique, notes


def _same_values(a: Slice, b: Slice) -> bool:
    """Compare two frames by their values; what cannot be decoded is like nothing else."""
    try:
        one, other = open_pixels(a.info.path), open_pixels(b.info.path)
        if not _rescale(one, a).same_as(_rescale(other, b)):
            return False
        return np.array_equal(one.stored_values(a.frame), other.stored_values(b.frame))
    except ReadError:
        return False


def _rescale(file: PixelFile, piece: Slice) -> Rescale:
    return rescale_of(Frames(file.header), piece.frame)


def _found(
    stack: Stack, number: int, notes: Sequence[Note], states: Sequence[Presentation]
) -> Found:
    info = stack.first.info
    patient = _patient(info)
    study = Study(
        uid=_study_uid(info),
        date=iso_date(info.study_date),
        description=info.study_description,
        accession=info.accession,
    )
    own = _about(stack, states, patient)
    series = replace(
        _as_listed(info, stack),
        stack=number,
        warnings=_merged(notes, stack.notes, _notes_of(stack), [note_of(each) for each in own]),
        presentations=own,
        study_uid=study.uid,
        patient_key=patient.key,
    )
    return Found(series, patient, study)


def _about(
    stack: Stack, states: Sequence[Presentation], patient: Patient
) -> tuple[Presentation, ...]:
    """States about images of a stack, the newest last, without texts that say who it is."""
    uids = {piece.info.instance_uid for piece in _pieces(stack)} if states else set()
    own = sorted((state for state in states if state.images & uids), key=lambda s: s.made)
    labels = [_UNNAMED if tells_who(state.label, patient) else state.label for state in own]
    return tuple(
        replace(
            state,
            label=label if labels.count(label) == 1 else f"{label} {labels[: n + 1].count(label)}",
            drawings=tuple(d for d in state.drawings if not tells_who(d.text, patient)),
        )
        for n, (state, label) in enumerate(zip(own, labels, strict=True))
    )


def _as_listed(info: FileInfo, stack: Stack) -> Series:
    """What the first file and the stack say of the series."""
    files, slots = _slots(stack)
    return Series(
        uid=_series_uid(info),
        number=info.series_number,
        modality=info.modality,
        description=" ".join(filter(None, (info.series_description, stack.first.label))),
        files=files,
        transfer_syntax=info.syntax,
        size=stack.geometry.shape[::-1],
        times=len(stack.volumes),
        split_by=stack.split_by,
        time_step_s=time_step_of(stack.split_by, stack.volumes),
        geometry=stack.geometry,
        quantity=info.quantity,
        lossy=any(piece.info.lossy for piece in _pieces(stack)),
        missing_slices=stack.missing,
        acquired=info.acquired,
        scanner=info.scanner,
        field_strength_t=info.field_strength_t,
        slots=slots,
        laterality=info.laterality,
        split_keys=stack.split_keys,
        institution=info.institution,
        referring=info.referring,
        body_part=info.body_part,
        contrast=info.contrast,
        lies_over=info.sop_class in (*SEGMENTATION, PARAMETRIC_MAP),
    )


def _pieces(stack: Stack) -> Iterable[Slice]:
    return (piece for volume in stack.volumes for piece in volume if piece is not None)


def _slots(stack: Stack) -> tuple[tuple[Path, ...], tuple[tuple[int, int] | None, ...]]:
    """Files in slice order, and for each time and slice which frame of which file it is."""
    index: dict[Path, int] = {}
    slots: list[tuple[int, int] | None] = []
    for volume in stack.volumes:
        for piece in volume:
            if piece is None:
                slots.append(None)
            else:
                slots.append((index.setdefault(piece.info.path, len(index)), piece.frame))
    return tuple(index), tuple(slots)


def _notes_of(stack: Stack) -> list[Note]:
    notes = list(loss_notes([piece.info.lossy for piece in _pieces(stack)]))
    for uid in sorted({piece.info.syntax for piece in _pieces(stack)}):
        known = SYNTAXES.get(uid)
        if known is None or not known.known:
            name = known.name if known is not None else "an unknown transfer syntax"
            text = f"stored as {name} ({uid}), which cannot be decoded"
            notes.append(Note("SYNTAX_UNKNOWN", text))
    for code, doubt_of in _DOUBTS:
        doubts = {doubt_of(piece.info) for piece in _pieces(stack)} - {""}
        notes += [Note(code, doubt) for doubt in sorted(doubts)]
    notes += [Note("SIDE_DOUBTFUL", doubt) for doubt in _side_elsewhere(stack)]
    factors = sorted({piece.magnified for piece in _pieces(stack)} - {1.0})
    notes += [Note("SPACING_ESTIMATED", _ESTIMATED.format(factor)) for factor in factors]
    if any(piece.info.begins_like_a_program for piece in _pieces(stack)):
        text = "a file begins like a program or an archive; its image is shown, nothing is run"
        notes.append(Note("EXECUTABLE_HEADER", text))
    return notes


def _side_elsewhere(stack: Stack) -> list[str]:
    """Say where all of a stack lies on the other side of the scanner's middle (R21).

    A part that was moved to the middle proves nothing, so only what is clearly beside it counts.
    """
    first, grid = stack.first, stack.geometry
    said = first.info.laterality
    if first.position is None or said not in ("L", "R") or not grid.orientation_known:
        return []
    ends = [(0, n - 1) for n in grid.shape]
    across = [float(grid.to_mm(corner)[0]) for corner in product(*ends)]
    other = max(across) < -BESIDE_MM if said == "L" else min(across) > BESIDE_MM
    found = SIDES["R" if said == "L" else "L"]
    text = f"the file names the {SIDES[said]} side, its positions lie on the {found}"
    return [f"{text}; check the side"] if other else []


def _merged(*groups: Sequence[Note]) -> tuple[Note, ...]:
    """All notes once, in the order in which they were made."""
    return tuple(dict.fromkeys(note for group in groups for note in group))
