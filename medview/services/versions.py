"""Versions of the models: the shipped ones and the user's own, with where their weights lie.

The user's own lie in ``MEDVIEW_HOME/models/<id>/<version>/`` as weights.safetensors and
card.json. A version is added whole or not at all and never changed afterwards, so that leaving
it again restores exactly what was there before.
"""

from __future__ import annotations

import lzma
import re
import shutil
import tempfile
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from medview.domain.card import ModelCard
from medview.domain.errors import InputRefused, UsageError, WeightsError
from medview.domain.resources import resource
from medview.io.atomic import whole_file, whole_folder, write_error
from medview.io.cards import BASELINES, CARD, WEIGHTS, read_card, refuse_other_weights, write_card
from medview.io.installation import home

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Of a version from elsewhere; the largest shipped weights have 30 MB.
_LARGEST_BYTES = 2 << 30
# Bytes of a ZIP before the name of its first member.
_MEMBER_HEAD = 30
# Of archives cut off or with a part changed; RuntimeError is of a password, and of ways of packing
# that are not known here.
_BROKEN = (
    *(OSError, EOFError, ValueError, RuntimeError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a model: its card, its weights file, and whether it is the user's own."""

    card: ModelCard
    weights: Path
    own: bool = False

    @property
    def name(self) -> str:
        """What the command line calls it: "ID@VERSION"."""
        return f"{self.card.id}@{self.card.version}"

    @property
    def chosen(self) -> Path | None:
        """The weights file where another one than the model's own was chosen, else None."""
        is_usual = not self.own and self.weights.parent.name == self.card.id
        return None if is_usual else self.weights


def own_folder() -> Path:
    """Where the user's versions lie."""
    return home() / "models"


def versions(
    model: str | None = None, *, shipped: Path | None = None, own: Path | None = None
) -> tuple[Version, ...]:
    """All versions that can be read, or those of one model: shipped ones first.

    Of the shipped ones of a model the first is the one in the folder of its name. Damaged cards
    are left out.
    """
    found = (*shipped_versions(shipped), *own_versions(own))
    return tuple(version for version in found if model in (None, version.card.id))


def shipped_versions(folder: Path | None = None) -> tuple[Version, ...]:
    """The versions that came with the program; `folder` in place of where they lie."""
    paths = sorted((folder or resource("weights")).glob(f"*/{CARD}"))
    return _in_order(_read(paths, own=False))


def own_versions(folder: Path | None = None) -> tuple[Version, ...]:
    """The user's own versions; `folder` in place of where they lie."""
    return _in_order(_read(sorted((folder or own_folder()).glob(f"*/*/{CARD}")), own=True))


def _in_order(found: Iterable[Version]) -> tuple[Version, ...]:
    return tuple(sorted(found, key=lambda v: (v.card.id, v.weights.parent.name != v.card.id)))


def located(
    name: str,
    weights: Path | None = None,
    *,
    shipped: Path | None = None,
    own: Path | None = None,
) -> Version:
    """The version called "ID" (the shipped one) or "ID@VERSION"; with `weights` the file named.

    Raises
    ------
    UsageError
        If there is no such model or version.
    WeightsError
        If the weights are missing or of another model, or the card is damaged.
    """
    from medview.services.models import find_card

    if weights is not None:
        return Version(find_card(name, weights), weights, own=True)
    model, _, version = name.partition("@")
    for one in versions(model, shipped=shipped, own=own):
        if version in ("", one.card.version):
            return one
    if version and versions(model, shipped=shipped, own=own):
        there = ", ".join(v.card.version for v in versions(model, shipped=shipped, own=own))
        raise UsageError(f"there is no version {version} of {model}", do=f"There is: {there}.")
    card = find_card(model, folder=shipped)
    return Version(card, resource("weights", model, WEIGHTS))


def refuse_name(model: str, version: str, *, own: Path | None = None) -> None:
    """Refuse a name that no version can have, or that one has already.

    Raises
    ------
    UsageError
        Saying which of the two.
    """
    if not _NAME.fullmatch(version):
        raise UsageError(
            f'"{version}" cannot be the name of a version',
            do="Use letters, digits, dots and dashes, at most 64.",
        )
    taken = [one for one in versions(model, own=own) if one.card.version == version]
    if taken:
        away = ", or remove that one first"
        raise UsageError(
            f"there is a version {version} of {model} already",
            do=f"Choose another name{away if taken[0].own else ''}.",
        )


def register(weights: Path, version: str, *, own: Path | None = None) -> Version:
    """Add weights with the card beside them as a version of the user's own.

    The card keeps the hash of its parent and gets a device UID of its own (Contributing
    Equipment of DICOM objects made with it, PS3.3 C.12.1).

    Raises
    ------
    UsageError
        If the name cannot be used or is taken.
    WeightsError
        If the card is not of these weights.
    WriteError
        If the disk refuses.
    """
    card = read_card(weights.with_name(CARD))
    refuse_other_weights(weights, card)
    refuse_name(card.id, version, own=own)
    device = f"2.25.{uuid.uuid4().int}"
    mine = replace(card, version=version, settings={**card.settings, "device_uid": device})
    target = (own or own_folder()) / card.id / version
    with whole_folder(target) as draft:
        shutil.copyfile(weights, draft / WEIGHTS)
        if weights.with_name(BASELINES).is_file():
            shutil.copyfile(weights.with_name(BASELINES), draft / BASELINES)
        write_card(mine, draft / CARD)
    return Version(mine, target / WEIGHTS, own=True)


def remove(version: Version) -> None:
    """Take a version of the user's own away.

    Raises
    ------
    UsageError
        If it came with the program.
    WriteError
        If the disk refuses.
    """
    if not version.own:
        raise UsageError(f"{version.name} came with the program", do="It stays.")
    try:
        shutil.rmtree(version.weights.parent)
    except OSError as error:
        raise write_error(version.weights.parent, error) from error


def export(version: Version, file: Path) -> None:
    """Write a version as one file: a ZIP of its weights and card, and what lies beside them.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    with whole_file(file) as draft, zipfile.ZipFile(draft, "w") as archive:
        archive.write(version.weights, WEIGHTS)
        archive.write(version.weights.with_name(CARD), CARD)
        if version.weights.with_name(BASELINES).is_file():
            archive.write(version.weights.with_name(BASELINES), BASELINES)


def import_file(
    file: Path,
    *,
    own: Path | None = None,
    model: str | None = None,
    check: Callable[[str, Path], object] = lambda model, weights: None,
) -> Version:
    """Add a version from a file that ``export`` wrote; its name stays.

    `check` is given model and weights before they are added and raises where they do not fit.
    With `model` ("ID" or "ID@VERSION") nothing else is added.

    Raises
    ------
    InputRefused
        If there is no such file.
    WeightsError
        If the file is none, weights and card do not belong together, or there is no such model.
    UsageError
        If its name is taken, or it is not of `model`.
    """
    if not file.is_file():
        raise InputRefused("does not exist", file=file.name, do="Check the path.")
    with tempfile.TemporaryDirectory(prefix="medview-") as place:
        folder = Path(place) / "version"
        with whole_folder(folder) as draft:
            _unpack(file, draft)
        card = _card_in(folder, file)
        if model not in (None, card.id, f"{card.id}@{card.version}"):
            raise UsageError(
                f"this is {card.id}@{card.version}, not {model}",
                file=file.name,
                do="Name no model, or choose another file.",
            )
        if not versions(card.id, own=own):
            raise WeightsError(
                f"its card is of a model called {card.id}, which is not here",
                file=file.name,
                do="Use the program that it was exported from.",
                code="MV-WGT-008",
            )
        _refuse_taken(card, file, own)
        check(card.id, folder / WEIGHTS)
        return register(folder / WEIGHTS, card.version, own=own or own_folder())


def _card_in(folder: Path, file: Path) -> ModelCard:
    """The card of an unpacked version; what is wrong with it is told of the file it came in."""
    try:
        card = read_card(folder / CARD)
        refuse_other_weights(folder / WEIGHTS, card)
    except WeightsError as error:
        raise WeightsError(
            f"{error.what}; its card or its weights were changed after it was exported",
            file=file.name,
            do="Export the version once more.",
            code=error.code,
        ) from error
    if not card.inputs:
        raise _no_version(file)
    return card


def _refuse_taken(card: ModelCard, file: Path, own: Path | None) -> None:
    """Say of a file whose version has the name of one that is here whether it is that one."""
    for one in versions(card.id, own=own):
        if one.card.version != card.version:
            continue
        is_same = one.card.weights_sha256 == card.weights_sha256
        other = "Rename it where it was made" + (", or remove the one here." if one.own else ".")
        raise UsageError(
            f"{card.id}@{card.version} is here already"
            + ("" if is_same else ", with other weights"),
            file=file.name,
            do="Nothing needs to be added." if is_same else other,
        )


def _unpack(file: Path, folder: Path) -> None:
    """Write the members of an archive; what cannot be read is no version, else the disk refuses."""
    with _open(file) as archive:
        for item in archive.infolist():
            blocks = _blocks(archive, item, file)
            with (folder / item.filename).open("wb") as draft:
                draft.writelines(blocks)


def _open(file: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(file)
    except _BROKEN as error:
        raise (_damaged if _begins_as_exported(file) else _no_version)(file) from error
    names = sorted(archive.namelist())
    size = sum(item.file_size for item in archive.infolist())
    known = (sorted((WEIGHTS, CARD)), sorted((WEIGHTS, CARD, BASELINES)))
    if names not in known or size > _LARGEST_BYTES:
        archive.close()
        raise _no_version(file)
    return archive


def _begins_as_exported(file: Path) -> bool:
    """Whether the first member of what was an archive is the weights: its end may be lost."""
    with file.open("rb") as start:
        head = start.read(_MEMBER_HEAD + len(WEIGHTS))
    return head.startswith(b"PK\x03\x04") and head.endswith(WEIGHTS.encode())


def _blocks(archive: zipfile.ZipFile, item: zipfile.ZipInfo, file: Path) -> Iterator[bytes]:
    try:
        with archive.open(item) as source:
            while block := source.read(1 << 20):
                yield block
    except _BROKEN as error:
        raise _damaged(file) from error


def _damaged(file: Path) -> WeightsError:
    return WeightsError(
        "this exported version of a model is damaged",
        file=file.name,
        do="Copy the file again, or export the version once more.",
        code="MV-WGT-008",
    )


def _no_version(file: Path) -> WeightsError:
    return WeightsError(
        "this is not an exported version of a model",
        file=file.name,
        do="Choose a file that a version was exported to.",
        code="MV-WGT-008",
    )


def _read(paths: list[Path], *, own: bool) -> Iterator[Version]:
    for path in paths:
        try:
            card = read_card(path)
        except WeightsError:
            continue
        if card.inputs:
            yield Version(card, path.with_name(WEIGHTS), own)
