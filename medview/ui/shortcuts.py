"""Which keys mean which command: the profile's, unless the reader has chosen others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtGui import QKeySequence

from medview.services.settings import Settings
from medview.ui.action import Action, split_keys
from medview.ui.profiles import PROFILES, Profile

_BETWEEN = " | "
_IS = "="

Chosen = Mapping[str, tuple[str, ...]]


def profile_of(settings: Settings) -> Profile:
    """The profile that is chosen."""
    return PROFILES[settings.profile]


def chosen_keys(settings: Settings) -> Chosen:
    """Keys that the reader has chosen, by the id of the command; none: it has no key."""
    found = (entry.partition(_IS) for entry in settings.shortcuts)
    return {
        key: tuple(each for each in text.split(_BETWEEN) if each) for key, is_, text in found if is_
    }


def entries(chosen: Chosen) -> tuple[str, ...]:
    """The same as it stands in the settings."""
    return tuple(f"{key}{_IS}{_BETWEEN.join(keys)}" for key, keys in sorted(chosen.items()))


def keys_that_came(action: Action, profile: Profile) -> tuple[str, ...]:
    """The keys of a command in a profile, before the reader changed any."""
    return split_keys(profile.keys.get(action.id, action.shortcut))


def keys_in_force(settings: Settings, actions: Iterable[Action]) -> Chosen:
    """The keys of every command now.

    What the reader has chosen stands on top of the profile: where both mean something by one
    key, the command of the profile goes without it.
    """
    every, profile, chosen = tuple(actions), profile_of(settings), chosen_keys(settings)
    taken = {same(key) for keys in chosen.values() for key in keys}
    return {
        each.id: chosen[each.id]
        if each.id in chosen
        else tuple(key for key in keys_that_came(each, profile) if same(key) not in taken)
        for each in every
    }


def keys_lost(settings: Settings, actions: Iterable[Action]) -> tuple[tuple[Action, str], ...]:
    """Commands of the profile without a key that it gives them: the reader has it elsewhere."""
    every, profile, chosen = tuple(actions), profile_of(settings), chosen_keys(settings)
    taken = {same(key) for keys in chosen.values() for key in keys}
    return tuple(
        (each, key)
        for each in every
        if each.id not in chosen
        for key in keys_that_came(each, profile)
        if same(key) in taken
    )


def same(key: str) -> str:
    """A key as Qt writes it, so that two ways of writing it are the same."""
    return QKeySequence(key).toString()


def taken_by(
    key: str, other_than: Action, actions: Iterable[Action], in_force: Chosen
) -> Action | None:
    """The command that has a key already."""
    for each in actions:
        if each.id != other_than.id and same(key) in {same(k) for k in in_force[each.id]}:
            return each
    return None


def key_text(keys: tuple[str, ...], between: str) -> str:
    """Keys as this system writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return between.join(QKeySequence(key).toString(native) for key in keys)
