"""Kinds of words that several commands take."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import click


class Numbers(click.ParamType[tuple[float, ...]]):
    """Several numbers with commas between them, such as "12,-20.5,31"."""

    name = "numbers"

    def __init__(self, *names: str) -> None:
        """Take one number per name; the names make the placeholder in the help ("L,P,H")."""
        self.names = names

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Turn the text into a tuple of finite numbers, or say what was expected."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(float(word) for word in str(value).split(","))
        except ValueError:
            numbers = ()
        if len(numbers) != len(self.names) or not all(map(math.isfinite, numbers)):
            self.fail(f"{value!r} is not {','.join(self.names)}", param, ctx)
        return numbers

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the names in the help."""
        return ",".join(self.names)


class Finite(click.FloatRange):
    """A number in a range; "nan" and "inf" are none, which a range alone lets through."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Turn the text into a finite number of the range, or say what was expected."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


def reader_choice(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options for what files leave open; the function is given them as `choice`."""

    @click.option(
        "--form",
        type=click.Choice(["sform", "qform"]),
        help="Which of two positions in a NIfTI file to use.",
    )
    @click.option(
        "--split-by",
        metavar="KEY",
        help='What tells volumes in one place apart; "split_keys" of info names the keys.',
    )
    @functools.wraps(function)
    def with_choice(*args: Any, form: str | None, split_by: str | None, **kwargs: Any) -> Any:
        from medview.domain.study import Choice

        choice = Choice(form=form or "", split_by=split_by or "") if form or split_by else None
        return function(*args, choice=choice, **kwargs)

    return with_choice
