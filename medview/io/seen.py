"""Which patients weights have learnt from: marks on a card that say it only when asked by name.

A mark is scrypt of the patient's hash with a salt of the card. Tables of marks made beforehand are
of no use, and two cards cannot be joined by their marks; who has a list of ids and the card can
still try them, at about 3 ms each: that is what the check itself does.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache

from medview.domain.card import ModelCard

_COST = 2**10
"""scrypt with blocks of 1 KiB: 1 MiB of memory and about 3 ms a patient."""
_KEPT = 1 << 15
_AT_ONCE = 4


def salted(card: ModelCard) -> ModelCard:
    """The card with a salt of its own and marks in the place of plain hashes; a salted one stays.

    Cards of older versions hold plain hashes: they get marks without their patients being known.
    """
    if card.seen_salts or not card.seen_patients:
        return card
    salt = secrets.token_hex(16)
    return replace(
        card, seen_salts=(salt,), seen_patients=_sorted(_marks(card.seen_patients, salt))
    )


def seen_of(card: ModelCard, hashes: Collection[str]) -> frozenset[str]:
    """Which of some patients (``patient_hash``) the weights of a card have learnt from."""
    known = frozenset(card.seen_patients)
    if not known or not card.seen_salts:
        return known & frozenset(hashes)
    asked = sorted(set(hashes))
    found = set[str]()
    for salt in card.seen_salts:
        marks = _marks(asked, salt)
        found |= {one for one, mark in zip(asked, marks, strict=True) if mark in known}
    return frozenset(found)


def with_seen(card: ModelCard, hashes: Iterable[str]) -> ModelCard:
    """The card with more patients (``patient_hash``), marked by its own salt."""
    more = sorted(set(hashes))
    if card.seen_salts:
        more = _marks(more, card.seen_salts[0])
    return replace(card, seen_patients=_sorted((*card.seen_patients, *more)))


def joined_seen(card: ModelCard, older: ModelCard) -> ModelCard:
    """The card with the patients of another, each marked by the salt it was marked with."""
    card, older = salted(card), salted(older)
    return replace(
        card,
        seen_patients=_sorted((*card.seen_patients, *older.seen_patients)),
        seen_salts=tuple(dict.fromkeys((*card.seen_salts, *older.seen_salts))),
    )


def _sorted(marks: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(marks)))


def _marks(hashes: Collection[str], salt: str) -> list[str]:
    """The mark of each patient, in order, on a few threads: scrypt lets others run meanwhile."""
    with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1)) as pool:
        return list(pool.map(lambda one: _mark(one, salt), hashes))


@lru_cache(_KEPT)
def _mark(patient: str, salt: str) -> str:
    """What stands for a patient (``patient_hash``) on a card with this salt, 16 hex digits."""
    made = hashlib.scrypt(patient.encode(), salt=bytes.fromhex(salt), n=_COST, r=8, p=1, dklen=8)
    return made.hex()
