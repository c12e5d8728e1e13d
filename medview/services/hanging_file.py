"""Rules of hanging as text: read, checked line by line, and written."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from medview.domain.errors import UsageError
from medview.domain.geometry import Plane
from medview.imaging.intensity import PRESETS
from medview.services.hanging_rules import ANY_NUMBER, PaneRule, Rule
from medview.services.layouts import LAYOUTS

_PLANES = {plane.value: plane for plane in Plane if plane is not Plane.ACQUIRED}
_PRESET_KEYS = {each.key for known in PRESETS.values() for each in known if each.key}
# No value of a pixel lies beyond; so neither inf nor nan is a number here.
_LARGEST = 1e12
# Where a rule begins; the words of a comment or a text are none.
_BEGIN = re.compile(r"^[ \t]*\[\[[ \t]*rule[ \t]*\]\]", re.MULTILINE)


def rules_in(text: str) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules of a file, and a clause on each that was left out.

    Raises
    ------
    UsageError
        If the text is not TOML, or holds something else than rules.
    """
    try:
        body = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number too long to be read
        raise UsageError(f"cannot be read ({error})") from error
    entries = body.get("rule", [])
    if not isinstance(entries, list) or set(body) - {"rule"}:
        raise UsageError("holds something else than rules, which begin with [[rule]]")
    rules: list[Rule] = []
    wrong: list[str] = []
    for number, entry in enumerate(entries, 1):
        try:
            rules.append(_rule(entry))
        except ValueError as error:
            named = entry.get("name") if isinstance(entry, dict) else None
            wrong.append(f"rule {number}{f' “{named}”' if named else ''}: {error}")
    return tuple(rules), tuple(wrong)


def with_rule(text: str, rule: Rule) -> str:
    """The text of a file with one more rule, before the others; all else stays as it is."""
    made = f"[[rule]]\n{rule_text(rule)}\n"
    first = _BEGIN.search(text)
    if first is None:
        return f"{text.rstrip()}\n\n{made}".lstrip()
    return f"{text[: first.start()]}{made}\n{text[first.start() :]}"


def without_rule(text: str, name: str) -> str:
    """The text of a file without the rules of that name; all other lines stay as they are."""
    begins = [found.start() for found in _BEGIN.finditer(text)]
    blocks = [text[one:end] for one, end in pairwise((*begins, len(text)))]
    left = (block for block in blocks if _name_in(block) != name)
    return "".join((text[: begins[0]] if begins else text, *left))


def _name_in(block: str) -> str | None:
    """The name in the lines of one rule; None where they cannot be read."""
    try:
        return str(tomllib.loads(block)["rule"][0].get("name", "")).strip()
    except tomllib.TOMLDecodeError:
        return None


def rule_text(rule: Rule) -> str:
    """A rule as lines of TOML; what asks for nothing is left out."""
    lines = [f"name = {_quoted(rule.name)}"]
    for key in ("modality", "body"):
        if getattr(rule, key):
            lines.append(f"{key} = {_listed(getattr(rule, key))}")
    if rule.series != Rule.__dataclass_fields__["series"].default:
        least, most = rule.series
        lines.append(f"series = {least}" if most == ANY_NUMBER else f"series = [{least}, {most}]")
    if rule.prior is not None:
        lines.append(f"prior = {str(rule.prior).lower()}")
    if not rule.auto:
        lines.append("auto = false")
    lines.append(f"layout = {_quoted(rule.layout)}")
    if rule.panes:
        lines.append("panes = [")
        lines += [f"  {_pane_text(pane)}," for pane in rule.panes]
        lines.append("]")
    return "\n".join(lines) + "\n"


def _pane_text(pane: PaneRule) -> str:
    plain = PaneRule()
    parts = []
    for key in _PANE_FIELDS:
        value = getattr(pane, key)
        if value != getattr(plain, key):
            parts.append(f"{'from' if key == 'source' else key} = {_written(value)}")
    return f"{{ {', '.join(parts)} }}" if parts else "{}"


def _written(value: object) -> str:
    if isinstance(value, Plane):
        return _quoted(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_written(each) for each in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _listed(values: tuple[str, ...]) -> str:
    return f"[{', '.join(_quoted(each) for each in values)}]"


def _quoted(text: str) -> str:
    """A text as TOML writes it; signs that cannot be printed are left out."""
    return json.dumps("".join(sign for sign in text if sign.isprintable()), ensure_ascii=False)


def _rule(entry: object) -> Rule:
    if not isinstance(entry, dict):
        raise ValueError("a rule has lines such as layout = “1x2”")
    known = dict(entry)
    name, layout = _text(known.pop("name", None), "name"), known.pop("layout", None)
    if not isinstance(layout, str) or layout not in LAYOUTS:
        raise ValueError(f"layout is {layout!r}, but can only be one of {', '.join(LAYOUTS)}")
    panes = known.pop("panes", [])
    if not isinstance(panes, list) or len(panes) > len(LAYOUTS[layout].panes):
        raise ValueError(f"panes has more entries than {layout} has panes, or is no list")
    made = tuple(_pane(place, each) for place, each in enumerate(panes, 1))
    if LAYOUTS[layout].is_mpr and len(made) > 1:
        raise ValueError("three planes are of one series: panes has one entry at most")
    return Rule(name, layout, made, **_fields(known, _RULE_FIELDS))


def _pane(place: int, entry: object) -> PaneRule:
    if not isinstance(entry, dict):
        raise ValueError(f"pane {place} is not written as {{ words = [...] }}")
    known = {"source" if key == "from" else key: value for key, value in entry.items()}
    pane = PaneRule(**_fields(known, _PANE_FIELDS))
    if pane.source == "prior" and pane.like >= place:
        raise ValueError(f"pane {place} is like pane {pane.like}, which does not stand before it")
    return pane


def _fields(entry: Mapping[str, object], known: Mapping[str, Callable[..., Any]]) -> dict[str, Any]:
    for key in entry:
        if key not in known:
            raise ValueError(f"“{key}” is not known here (known: {', '.join(known)})")
    return {key: known[key](value, key) for key, value in entry.items()}


def _text(value: object, key: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} is missing or no text")
    return value.strip()


def _texts(value: object, key: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise ValueError(f"{key} is no list of words")
    return tuple(listed)


def _flag(value: object, key: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{key} can only be true or false")
    return value


def _count(value: object, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{key} is no number from 1 on")
    return value


def _counts(value: object, key: str) -> tuple[int, int]:
    if isinstance(value, list) and len(value) == 2:
        return _count(value[0], key), _count(value[1], key)
    least = _count(value, key)
    return least, ANY_NUMBER


def _window(value: object, key: str) -> str | tuple[float, float]:
    if isinstance(value, str) and value in _PRESET_KEYS:
        return value
    if isinstance(value, list) and len(value) == 2:
        width, level = value
        if all(map(_is_number, value)) and width > 0:
            return float(width), float(level)
    raise ValueError(f"{key} is neither the key of a preset (“0” to “9”) nor [width, level]")


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST


def _one_of(allowed: Mapping[str, Any]) -> Callable[[object, str], Any]:
    def check(value: object, key: str) -> Any:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"{key} is {value!r}, but can only be one of {', '.join(allowed)}")
        return allowed[value]

    return check


_RULE_FIELDS: dict[str, Callable[[Any, str], Any]] = {
    "modality": _texts,
    "body": _texts,
    "series": _counts,
    "prior": _flag,
    "auto": _flag,
}
_PANE_FIELDS: dict[str, Callable[[Any, str], Any]] = {
    "words": _texts,
    "without": _texts,
    "slices": _count,
    "side": _one_of({"L": "L", "R": "R"}),
    "number": _count,
    "again": _flag,
    "source": _one_of({"study": "study", "prior": "prior"}),
    "like": _count,
    "plane": _one_of(_PLANES),
    "window": _window,
}
