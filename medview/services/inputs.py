"""Which of the given series goes into which input of a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medview.domain.card import InputSpec, ModelCard
from medview.domain.errors import InputRefused, ModelInputError, UsageError
from medview.domain.formats import is_table
from medview.domain.prediction import InputRef
from medview.domain.study import Catalogue, Series, first_few
from medview.domain.volume import Note, Volume
from medview.io.hashing import file_sha256, volume_sha256
from medview.io.named_files import refuse_elsewhere
from medview.io.tables import table_size
from medview.services.folder_tables import SERIES, may_hold_images, table_in
from medview.services.offers import TABLES as TABLES
from medview.services.offers import (
    Offer,
    doubt_of,
    needs_of,
    notes_against,
    offer_by_header,
    role_by_name,
)

ROLES = ("t1", "t1ce", "t2", "flair", "smri", "fmri", "film", "series")
"""Every input that some model has; each card says which ones are its own."""

Scan = Callable[[tuple[Path, ...]], Catalogue]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A series for an input, and where it was found. `notes` travel with the result."""

    role: str
    series: Series
    catalogue: Catalogue
    notes: tuple[Note, ...] = ()

    def reference(self, volume: Volume) -> InputRef:
        """Say which pixels these are, once they are read."""
        k, j, i = volume.geometry.shape
        series = self.series
        digest = volume_sha256(volume)
        return InputRef(self.role, series.study_uid, series.uid, series.stack, digest, (i, j, k))


@dataclass(frozen=True, slots=True, eq=False)
class GivenTable:
    """A feature file or time series for an input."""

    role: str
    path: Path

    def reference(self) -> InputRef:
        """Say which bytes these are."""
        digest = file_sha256(self.path)
        uid = f"2.25.{int(digest[:32], 16)}"
        return InputRef(self.role, "", uid, 0, digest, (*table_size(self.path), 1))


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What goes into a run, and notes on what was given and is not used."""

    images: tuple[Given, ...]
    tables: tuple[GivenTable, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What the command line names: bare paths, paths by role, and a series "UID[#STACK]"."""

    paths: tuple[Path, ...] = ()
    named: tuple[tuple[str, Path], ...] = ()
    series: str | None = None


def gather(card: ModelCard, wanted: Wanted, scan: Scan) -> Gathered:
    """Find a series or a table for each input.

    Raises
    ------
    UsageError
        If nothing is given, a role is no role, or several series would do.
    ModelInputError
        If nothing that is given fits the model.
    InputRefused
        If a path holds no image, or not the series that is named.
    """
    if not wanted.paths and not wanted.named:
        raise UsageError(
            "there is nothing to run on",
            do=f'Name a file or folder: "medview run {card.id} PATH --out DIR".',
        )
    known = {spec.role for spec in card.inputs}
    images: dict[str, Given] = {}
    tables: dict[str, GivenTable] = {}
    notes: list[Note] = []
    bare_tables = [(table_role(card, path), path) for path in wanted.paths if is_table(path)]
    _check_once((*wanted.named, *bare_tables))
    for role, path in wanted.named:
        _check_role(card, role)
        if role not in known:
            notes.append(_unused(card, role))
        elif role in TABLES:
            tables[role] = _table(role, path)
        else:
            images[role] = _named_input(card, role, scan((path,)), wanted.series, path.name)
    for role, path in bare_tables:
        tables[role] = _table(role, path)
    pictures = tuple(path for path in wanted.paths if not is_table(path))
    if not tables and (inside := table_in(card, pictures)):
        tables = {SERIES: _table(SERIES, inside)}
        pictures = tuple(path for path in pictures if may_hold_images(path))
    if pictures:
        bare, left_out = _bare_inputs(card, scan(pictures), wanted.series, pictures[0].name)
        notes += [*left_out, *(_beside(role) for role in bare if role in images)]
        images = {**bare, **images}
    if not images and not tables:
        raise _nothing_used(card, [role for role, _ in wanted.named])
    given = tuple(
        replace(each, notes=each.notes + notes_against(each.role, each.series))
        for each in images.values()
    )
    return Gathered(given, tuple(tables.values()), tuple(notes))


def fits(card: ModelCard, series: Series) -> bool:
    """Whether a model takes a series, by its headers and, where these are silent, its name."""
    return offer_of(card, series).fits


def table_role(card: ModelCard, path: Path) -> str:
    """The input that a bare table is for: by its columns, then its name, else the first one.

    Raises
    ------
    ModelInputError
        If the model takes no tables.
    """
    roles = [spec.role for spec in card.inputs if spec.role in TABLES]
    if not roles:
        raise ModelInputError(
            f"{card.title} needs {needs_of(card)}; this is a table",
            file=path.name,
            do="Choose another file.",
            code="MV-MOD-005",
        )
    name = path.stem.lower()
    functional = any(word in name for word in ("fmri", "func", "conn"))
    return "fmri" if functional and "fmri" in roles else roles[0]


def _table(role: str, path: Path) -> GivenTable:
    if not path.is_file():
        refuse_elsewhere(path)
        if path.is_dir():
            raise InputRefused("is a folder", file=path.name, do="Choose the table in it.")
        raise InputRefused("does not exist", file=path.name, do="Check the path.")
    return GivenTable(role, path)


def _check_once(named: Sequence[tuple[str, Path]]) -> None:
    for n, (role, path) in enumerate(named):
        if role in (earlier for earlier, _ in named[:n]):
            raise UsageError(
                f"two files are given for {role}", file=path.name, do="Give one for each input."
            )


def _nothing_used(card: ModelCard, given: Sequence[str]) -> ModelInputError:
    """Why nothing that was given can be used, with the inputs that can."""
    own = ", ".join(spec.role for spec in card.inputs)
    return ModelInputError(
        f"{card.title} has no input {' or '.join(given)}; it needs {needs_of(card)}",
        do=f'Give it with "--input ROLE=PATH", where ROLE is one of: {own}.',
        code="MV-MOD-004",
    )


def _check_role(card: ModelCard, role: str) -> None:
    if role not in ROLES:
        own = ", ".join(spec.role for spec in card.inputs)
        raise UsageError(f"there is no input called {role}", do=f"{card.title} takes: {own}.")


def _named_input(
    card: ModelCard, role: str, catalogue: Catalogue, key: str | None, name: str
) -> Given:
    """The series under a path that its owner says is of this role."""
    images = _images(catalogue, name)
    spec = next(spec for spec in card.inputs if spec.role == role)
    fitting = [series for series in images if _may_be(spec, series)]
    if key is not None:
        fitting = [series for series in fitting if key in (series.key, series.uid)] or fitting
    if not fitting:
        raise _refusal(card, images, name)
    called_so = [series for series in fitting if role_by_name(series)[0] == role]
    series = _only(called_so or fitting, name)
    return Given(role, series, catalogue, _against(series, role))


def _bare_inputs(
    card: ModelCard, catalogue: Catalogue, key: str | None, name: str
) -> tuple[dict[str, Given], list[Note]]:
    """A series for each role that the headers speak of; doubtful ones only for want of others."""
    images = _images(catalogue, name)
    if key is not None:
        images = [series for series in images if key in (series.key, series.uid)]
        if not images:
            raise InputRefused(
                f'holds no series "{key}"', file=name, do='See the series with "medview info".'
            )
    offers = [(series, offer_of(card, series)) for series in images]
    fitting = [(series, each.role) for series, each in offers if each.fits]
    if not fitting:
        raise _refusal(card, images, name)
    sure = [(series, role) for series, role in fitting if role_by_name(series)[0]]
    if not sure:
        series = _only([series for series, _ in fitting], name)
        role = fitting[0][1]
        return {role: Given(role, series, catalogue, (doubt_of(role, series),))}, []
    return _by_role(card, sure, catalogue, name)


def _by_role(
    card: ModelCard, sure: Sequence[tuple[Series, str]], catalogue: Catalogue, name: str
) -> tuple[dict[str, Given], list[Note]]:
    """One series a role; several for one that the model can do without are left out."""
    found: dict[str, Given] = {}
    notes = []
    needed = {spec.role for spec in card.inputs if spec.required}
    roles = dict.fromkeys(role for _, role in sure)
    for role in roles:
        series = [each for each, its_role in sure if its_role == role]
        if len(series) > 1 and role not in needed and needed & roles.keys():
            text = f"{len(series)} series could be the {role}; none of them was used"
            notes.append(Note("UNUSED_INPUT", text))
        else:
            found[role] = Given(role, _only(series, name), catalogue)
    return found, notes


def _images(catalogue: Catalogue, name: str) -> list[Series]:
    images = [series for series in catalogue.all_series() if series.geometry is not None]
    if not images:
        raise InputRefused("holds no images", file=name, do="Choose another file or folder.")
    return images


def _only(series: Sequence[Series], name: str) -> Series:
    if len(series) > 1:
        raise UsageError(
            f"{len(series)} series would fit: {first_few(series)}",
            file=name,
            do='Name one with "--series".',
        )
    return series[0]


def offer_of(card: ModelCard, series: Series) -> Offer:
    """The role a series takes by its headers or, where these are silent, its name; or why not."""
    role, _ = role_by_name(series)
    named = replace(series, description=role) if role else series
    return offer_by_header(card, named)


def _may_be(spec: InputSpec, series: Series) -> bool:
    return not series.modality or series.modality in spec.modalities


def _refusal(card: ModelCard, images: Sequence[Series], name: str) -> ModelInputError:
    """Why none of the series fits, in the words of the first."""
    why = [offer_of(card, series).why_not for series in images]
    others = f" (and {len(images) - 1} more series that do not fit)" if len(images) > 1 else ""
    return ModelInputError(
        f"{card.title} {next(filter(None, why), 'cannot use this series')}{others}",
        file=name,
        do="Choose another series.",
        code="MV-MOD-005",
    )


def _against(series: Series, role: str) -> tuple[Note, ...]:
    """A note where a series is called something else than it was given as."""
    called, other = role_by_name(series)
    # What is called T1 may well be one with contrast.
    if not other and called in ("", role, role.removesuffix("ce")):
        return ()
    name = other or called.upper()
    return (Note("OUTSIDE_TRAINING", f"by its name this is {name}; taken for {role}, as given"),)


def _unused(card: ModelCard, role: str) -> Note:
    return Note("UNUSED_INPUT", f"{card.title} {card.version} does not use {role}")


def _beside(role: str) -> Note:
    return Note(
        "UNUSED_INPUT", f"beside the {role} that was named there is another; it is not used"
    )
