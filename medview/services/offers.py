"""Which models fit what is open, and why others do not; from their cards alone."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from medview.domain.card import InputSpec, ModelCard
from medview.domain.errors import WeightsError
from medview.domain.resources import resource
from medview.domain.study import FILM_MODALITIES, Series
from medview.domain.volume import Note, Volume
from medview.io.cards import read_card

# "subject1" and "visit2" name no weighting, "sagT1" and "sT1W" do.
_T = r"(?:(?<![a-z])s?|(?<=ax|2d|3d)|(?<=sag|cor|tra))t"
# What a series is called when it is one of these; looked for in this order.
_ROLE_WORDS: tuple[tuple[str, str], ...] = (
    ("flair", r"flair|dark.?fluid"),
    (
        "t1ce",
        _T + r"1.?(ce|gd|c\b|\+c|km)"
        r"|post.?(contrast|gd|gad)|gado|contrast.?enhanced|\+ ?(c|gd|km)\b",
    ),
    ("t2", _T + "2"),
    ("t1", _T + "1|mp.?rage|spgr|bravo|tfe|vibe"),
)
# Images that a model for T1 or T2 must not be given, whatever else stands in the name.
_OTHER_CONTRASTS = (
    ("diffusion images", r"dwi|diff(?!use|er|ic)|adc\b|dti|trace"),
    ("susceptibility images", r"swi|t2\*|t2.?star|hemo|swan"),
    ("a localizer", r"locali[sz]er|scout|survey"),
    ("an angiogram", r"tof|angio|\bmra\b"),
    ("functional images", r"bold|fmri|asl\b|perf"),
)
# Body parts (0018,0015) that a film of the chest or a brain may be filed under, and others.
_CHEST, _HEAD = r"chest|thorax|lung|rib|heart|cardiac", r"head|brain|skull|cerebr|face|orbit|neck"
_ELSEWHERE = (
    rf"{_CHEST}|{_HEAD}|spine|shoulder|clavicle|humerus|arm|elbow|wrist|hand|finger|thumb|breast|"
    r"abdomen|liver|kidney|prostate|uterus|pelvis|hip|femur|thigh|knee|leg|ankle|foot|toe|extremity"
)
_FROM_PICTURES = ("film",)
"""What a picture without a header may be taken for."""
# Behind this the card tells more of an input than what it is.
_MORE = re.compile(r"\s*[:;(,]| instead of\b")
_BESIDE = "Open it beside the image."
TABLES = ("smri", "fmri", "series")
"""Roles that are no images: feature files (.npy or CSV) and time series (CSV)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A model and the open series: the role that the series takes, or why it does not fit.

    `tables` are the roles of open tables that it takes as well; without an image `role` is
    empty. `do` is what to do where it does not fit.
    """

    card: ModelCard
    role: str = ""
    why_not: str = ""
    tables: tuple[str, ...] = ()
    do: str = "Choose another series."

    @property
    def fits(self) -> bool:
        """True when the model can be run on the series."""
        return not self.why_not

    @property
    def words(self) -> str:
        """Why it does not fit, behind the name of the model, and what to do."""
        return f"{self.why_not}. {self.do}" if self.why_not else ""


def shipped_cards(folder: Path | None = None) -> tuple[ModelCard, ...]:
    """The cards of the models that came with the program, by their ids.

    Damaged cards are left out; ``card_errors`` says which. Parts that other models use, such
    as the brain mask, have no card of their own or take no input by role.
    """
    return tuple(card for card in _cards(folder) if card.inputs)


def part_cards(folder: Path | None = None) -> tuple[ModelCard, ...]:
    """The cards of parts that other models use: what takes no input by role is not run alone."""
    return tuple(card for card in _cards(folder) if not card.inputs)


def card_errors(folder: Path | None = None) -> tuple[WeightsError, ...]:
    """Why cards that are there cannot be used."""
    cards = (_card_or_error(path) for path in _card_paths(folder))
    return tuple(card for card in cards if isinstance(card, WeightsError))


def _cards(folder: Path | None) -> list[ModelCard]:
    found = (_card_or_error(path) for path in _card_paths(folder))
    return [card for card in found if isinstance(card, ModelCard)]


def _card_paths(folder: Path | None) -> list[Path]:
    return sorted((folder or resource("weights")).glob("*/card.json"))


def _card_or_error(path: Path) -> ModelCard | WeightsError:
    try:
        return read_card(path)
    except WeightsError as error:
        error.file = f"{path.parent.name}/{path.name}"
        return error


def offer(card: ModelCard, series: Series, volume: Volume, tables: Collection[str] = ()) -> Offer:
    """Say whether a model can be run on a series and open tables, as what, or why not."""
    given = _given(card, tables)
    images = [spec for spec in card.inputs if spec.role not in TABLES]
    tables_wanted = [spec for spec in card.inputs if spec.required and spec.role in TABLES]
    lacks = next((spec for spec in tables_wanted if spec.role not in given), None)
    if lacks is not None:
        return Offer(card, why_not=f"needs {_short(lacks)}", do=_BESIDE)
    if not given and not images:
        return Offer(card, why_not=f"needs {needs_of(card)}", do=_BESIDE)
    found = offer_by_header(card, series, volume.modality)
    if found.fits and volume.is_colour:
        found = Offer(card, why_not="needs grey values; this is a colour image")
    if found.fits and volume.is_mere_picture and found.role not in _FROM_PICTURES:
        told = "this picture says neither that it is MR nor how large its pixels are"
        found = Offer(card, why_not=f"needs {needs_of(card)}; {told}")
    needs_image = any(spec.required for spec in images)
    if found.fits or not given or needs_image:
        return replace(found, tables=given if found.fits else ())
    return Offer(card, tables=given)


def _given(card: ModelCard, tables: Collection[str]) -> tuple[str, ...]:
    """The tables that are open, of those that a model takes."""
    return tuple(spec.role for spec in card.inputs if spec.role in TABLES and spec.role in tables)


def offer_tables(card: ModelCard, tables: Collection[str]) -> Offer:
    """The same where tables are open and no image is."""
    given = _given(card, tables)
    lacks = next((s for s in card.inputs if s.required and s.role not in given), None)
    if lacks is not None or not given:
        told = _short(lacks) if lacks else needs_of(card)
        return Offer(card, why_not=f"needs {told}", do="Open it as well.")
    return Offer(card, tables=given)


def offer_by_header(card: ModelCard, series: Series, modality: str = "") -> Offer:
    """The same as far as it can be said without pixels; `modality` that of the volume."""
    modality = modality or series.modality
    images = [spec for spec in card.inputs if spec.role not in TABLES]
    fitting = [spec for spec in images if _takes(spec, modality)]
    if not fitting:
        return Offer(card, why_not=f"needs {needs_of(card)}; this is {_kind_of(modality)}")
    role, other = role_of(series)
    if other:
        return Offer(card, why_not=f"needs {needs_of(card)}; this looks like {other}")
    if not role and fitting[0].role == "film" and series.size[2] > 1:
        told = f"this is a volume of {series.size[2]} slices"
        return Offer(card, why_not=f"needs {needs_of(card)}; {told}")
    if not role:
        return Offer(card, fitting[0].role)
    if role not in {spec.role for spec in fitting}:
        return Offer(card, why_not=f"needs {needs_of(card)}; this looks like {_words_for(role)}")
    return Offer(card, role)


def role_of(series: Series) -> tuple[str, str]:
    """The role that a series takes by its header ("t1", "film", ...), and, where it is none
    of them, what it is instead in words. Both empty: the header does not say.
    """
    if series.modality in FILM_MODALITIES:
        return "film", ""
    name = series.description.lower().replace("_", " ")
    for words, pattern in _OTHER_CONTRASTS:
        if re.search(pattern, name):
            return "", words
    for role, pattern in _ROLE_WORDS:
        if re.search(pattern, name):
            return role, ""
    return "", ""


def role_by_name(series: Series) -> tuple[str, str]:
    """The same; where the header is silent the role that the name of the file says."""
    role, other = role_of(series)
    if not role and not other and series.files:
        role, _ = role_of(replace(series, description=series.files[0].name))
    return role, other


def is_elsewhere(role: str, body_part: str) -> bool:
    """Whether a header says that another part of the body is shown than an input is about."""
    part = body_part.lower()
    own = _CHEST if role == "film" else _HEAD
    return bool(re.search(_ELSEWHERE, part)) and not re.search(own, part)


def notes_against(role: str, series: Series) -> tuple[Note, ...]:
    """A note where the header names another part of the body than the input is about."""
    part = series.body_part
    if not is_elsewhere(role, part):
        return ()
    text = f"by its header this shows another part of the body ({part}); taken for {role}"
    return (Note("OUTSIDE_TRAINING", text),)


def doubt_of(role: str, series: Series) -> Note:
    """That no header says what a series was taken for."""
    if role == "film":
        return Note("MODALITY_DOUBTFUL", "no header says that this is a chest film; taken for one")
    kind = "" if series.modality else "that this is MR or "
    return Note("MODALITY_DOUBTFUL", f"no header says {kind}which weighting; taken for {role}")


def _takes(spec: InputSpec, modality: str) -> bool:
    """Whether an input takes a modality; a file that says none (NIfTI) is believed."""
    return not modality or not spec.modalities or modality in spec.modalities


def needs_of(card: ModelCard) -> str:
    """What the model cannot do without, in the first words of its card, each said once."""
    needed = [spec for spec in card.inputs if spec.required] or card.inputs
    return " or ".join(dict.fromkeys(map(_short, needed)))


def _short(spec: InputSpec) -> str:
    """What an input is, without what its card says of forms and ways."""
    return _MORE.split(spec.needs, maxsplit=1)[0]


def _words_for(role: str) -> str:
    return {"film": "a film", "t1ce": "T1 with contrast"}.get(role, role.upper())


def _kind_of(modality: str) -> str:
    # Letters that are spoken with a vowel first: an MR series, an XA series.
    if not modality:
        return "an image of no known kind"
    article = "an" if modality[:1] in "AEFHILMNORSX" else "a"
    return "a film" if modality in FILM_MODALITIES else f"{article} {modality} series"
