"""Recipes of training: the shipped one, a file of one's own, and single settings on top."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from medview.domain.errors import DataError, UsageError
from medview.domain.resources import resource

# How many cases there are in a step. Statistics over a step need more than one of them.
_BATCHES, _FEWEST = ("batch", "attention_batch"), 2
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
# Without these nothing is trained; all other numbers may be zero.
_ABOVE_ZERO = {"epochs", "steps", "batch", "attention_batch", "heads", "key_pool", "rate", "clip"}
# A logarithm, and "all" of a number of stages.
_MAY_BE_NEGATIVE = {"variance_floor", "frozen"}


def shipped_recipe(model: str) -> dict[str, Any]:
    """The recipe that ships with the program: every setting with its value.

    Raises
    ------
    UsageError
        If there is none: the model cannot be trained here.
    """
    path = resource("recipes", f"{model}.toml")
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in path.parent.glob("*.toml")))
        raise UsageError(f"there is no recipe to train {model}", do=f"Choose one of: {known}.")
    return tomllib.loads(path.read_text("utf-8"))


def read_recipe(
    model: str, file: Path | None = None, settings: Iterable[str] = ()
) -> dict[str, Any]:
    """The shipped recipe, with what `file` says in its place and then each "KEY=VALUE".

    Keys and kinds of values are those of the shipped recipe; "augment.gamma" is a setting of a
    table.

    Raises
    ------
    UsageError
        If a "KEY=VALUE" makes no sense.
    DataError
        If the file cannot be read or says what no recipe knows.
    """
    recipe = shipped_recipe(model)
    if file is not None:
        for key, value in _flat(_read(file)).items():
            wrong = _put(recipe, key, value)
            if wrong:
                raise DataError(wrong, file=file.name, do="Correct the recipe.", code="MV-DAT-020")
    for text in settings:
        key, equals, value = text.partition("=")
        wrong = _put(recipe, key.strip(), _value(value)) if equals else "it has no ="
        if wrong:
            raise UsageError(f"the setting {text}: {wrong}", do='Give it as in "epochs=20".')
    return recipe


def read_sweeps(
    model: str, settings: Iterable[str]
) -> tuple[tuple[str, ...], dict[str, tuple[Any, ...]]]:
    """Part "KEY=VALUE" from "KEY=V1,V2": single settings, and values by key.

    Raises
    ------
    UsageError
        If one of the values makes no sense.
    """
    single: list[str] = []
    sweeps: dict[str, tuple[Any, ...]] = {}
    for text in settings:
        key, equals, values = text.partition("=")
        if not equals or "," not in values:
            single.append(text)
            continue
        each = [f"{key}={value}" for value in values.split(",") if value.strip()]
        recipes = [_flat(read_recipe(model, None, [one])) for one in each]
        sweeps[key.strip()] = tuple(recipe[key.strip()] for recipe in recipes)
    return tuple(single), sweeps


def epochs_settings(model: str, count: int | None) -> tuple[str, ...]:
    """The settings "KEY=VALUE" that give every part of a training so many epochs; none for None."""
    if count is None:
        return ()
    names = [name for name in _flat(shipped_recipe(model)) if _counts_epochs(name)]
    return tuple(f"{name}={count}" for name in names)


def _counts_epochs(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last == "epochs" or last.endswith("_epochs")


def halved(recipe: Mapping[str, Any], times: int = 1) -> tuple[str, ...]:
    """The settings "KEY=VALUE" that halve how many cases there are in a step, so many times.

    None where the recipe names no such number, or has as few as possible already.
    """
    flat = _flat(recipe)
    sizes = {name: flat[name] for name in flat if name.rpartition(".")[2] in _BATCHES}
    fewer = {name: max(size >> times, min(size, _FEWEST)) for name, size in sizes.items()}
    return tuple(f"{name}={fewer[name]}" for name in sizes if fewer[name] < sizes[name])


def epochs_of(recipe: Mapping[str, Any]) -> int:
    """How many epochs a recipe asks for; 0 where it does not say."""
    flat = _flat(recipe)
    return int(next((flat[key] for key in flat if key.rpartition(".")[2] == "epochs"), 0))


# The setting of the rate of a fine-tuning, where it has another name than "rate".
_RATES = {"brain-age": "train.rate", "icu": "tune_rate", "icu-armed": "tune_rate"}


def rate_setting(model: str, recipe: Mapping[str, Any]) -> tuple[str, float]:
    """The name of a model's learning rate in its recipe, and what it is there."""
    name = _RATES.get(model, "rate")
    return name, float(_flat(recipe).get(name, 0.0))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise DataError(
            "does not exist", file=path.name, do="Check the path of the recipe.", code="MV-DAT-020"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "not readable text"
        raise DataError(
            f"cannot be read as a recipe ({why})",
            file=path.name,
            do="Write it as TOML, like the shipped recipe.",
            code="MV-DAT-020",
        ) from error


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested tables as one, with keys such as "augment.gamma"."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[before + key] = value
    return flat


def _value(text: str) -> Any:
    """A value as TOML reads it; what is none is a word."""
    try:
        return tomllib.loads(f"value = {text.strip()}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return text.strip()


def _put(recipe: dict[str, Any], key: str, value: Any) -> str:
    """Put a value into a recipe; return what is wrong with it, or nothing."""
    known = _flat(recipe)
    # "epochs" means "train.epochs" where only one table has it.
    same = [name for name in known if name.rpartition(".")[2] == key]
    if key not in known and len(same) == 1:
        key = same[0]
    if key not in known:
        return f"no setting is called {key}; known are {', '.join(known)}"
    kind, name = type(known[key]), key.rpartition(".")[2]
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        return f"{key} is {_KINDS[kind]}"
    if kind in (int, float):
        wrong = _out_of_bounds(name, value)
        if wrong:
            return f"{key} {wrong}"
    *tables, last = key.split(".")
    place = recipe
    for table in tables:
        place = place[table]
    place[last] = value
    return ""


def _out_of_bounds(name: str, value: float) -> str:
    # Also catches NaN, which is not larger than anything.
    if name in _ABOVE_ZERO and not value > 0:
        return "must be above 0"
    if name not in _MAY_BE_NEGATIVE and not value >= 0:
        return "must not be below 0"
    return "" if abs(value) < float("inf") else "must be finite"
