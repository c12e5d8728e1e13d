"""Which keys mean which command: the table's own, unless the reader has chosen others."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QKeySequence

from medview.services.settings import Settings
from medview.ui.action import Action

_BETWEEN = " | "
_IS = "="

Chosen = Mapping[str, tuple[str, ...]]


def chosen_keys(settings: Settings) -> Chosen:
    """Keys that the reader has chosen, by the id of the command; none: it has no key."""
    found = (entry.partition(_IS) for entry in settings.shortcuts)
    return {
        key: tuple(each for each in text.split(_BETWEEN) if each) for key, is_, text in found if is_
    }


def entries(chosen: Chosen) -> tuple[str, ...]:
    """The same as it stands in the settings."""
    return tuple(f"{key}{_IS}{_BETWEEN.join(keys)}" for key, keys in sorted(chosen.items()))


def keys_of(action: Action, chosen: Chosen) -> tuple[str, ...]:
    """The keys of a command now."""
    return chosen.get(action.id, action.keys)


def same(key: str) -> str:
    """A key as Qt writes it, so that two ways of writing it are the same."""
    return QKeySequence(key).toString()


def taken_by(
    key: str, other_than: Action, actions: tuple[Action, ...], chosen: Chosen
) -> Action | None:
    """The command that has a key already."""
    for each in actions:
        if each.id != other_than.id and same(key) in {same(k) for k in keys_of(each, chosen)}:
            return each
    return None


def key_text(keys: tuple[str, ...], between: str) -> str:
    """Keys as this system writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return between.join(QKeySequence(key).toString(native) for key in keys)
