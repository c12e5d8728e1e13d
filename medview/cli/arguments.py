"""Kinds of words that several commands take."""

from __future__ import annotations

import math

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
