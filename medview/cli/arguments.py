"""Kinds of words that several commands take."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from medview.domain.errors import UsageError


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


def keep_apart(out: Path, files: Iterable[Path]) -> None:
    """Raise a UsageError where what is to be written is one of the files that were read."""
    place = out.resolve()
    if any(file.resolve() == place for file in files):
        raise UsageError("is the file that is read", file=out.name, do="Give another name.")


class NewFile(click.ParamType[Path]):
    """A file to write whose name says what will be in it; a name without an end is fine."""

    name = "file"

    def __init__(self, *ends: str) -> None:
        """Take the ends that a name may have, such as ".png"."""
        self.ends = ends

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Turn the text into a path, or refuse a name that promises another format."""
        path = Path(str(value))
        if path.suffix and path.suffix.lower() not in self.ends:
            ends = " or ".join(self.ends)
            self.fail(f"no {path.suffix} file is written here; end the name in {ends}", param, ctx)
        return path

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the usual end in the help."""
        return f"FILE{self.ends[0]}"


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


data_sets = click.option(
    "--data",
    required=True,
    multiple=True,
    metavar="[LAYOUT=]PATH",
    help="A data set, a folder with several, or a case list; may be given again.",
)


def run_choices(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options that change what a model answers, of one case as of many."""
    options = (
        click.option(
            "--samples", type=click.IntRange(min=1), help="Passes whose spread is uncertainty."
        ),
        click.option("--alpha", type=Finite(0, 1), help="Weight of the plain residual."),
        click.option(
            *("--map", "maps"),
            multiple=True,
            metavar="NAME",
            help="A map made on demand: cxr has occlusion.",
        ),
        click.option(
            "--weights", type=click.Path(path_type=Path), help="Other weights than the shipped."
        ),
        click.option(
            "--precision",
            type=click.Choice(["float32", "bfloat16"]),
            default="float32",
            show_default=True,
            help="bfloat16 is faster on some machines and a little less exact.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def person_choices(whose: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Options for what headers and tables may leave open; `whose` is "the patient" or several."""

    def with_options(function: Callable[..., Any]) -> Callable[..., Any]:
        options = (
            click.option("--age", type=Finite(0, 130), help=f"Of {whose}, in years."),
            click.option("--sex", type=click.Choice(["F", "M"]), help=f"Of {whose}."),
            click.option(
                "--site",
                metavar="NAME",
                help="Where images were acquired, for models with site effects; without it what "
                "the header says.",
            ),
            click.option(
                "--film-hour",
                type=Finite(-8760, 87_600),
                help="Hour of the stay that a film is from.",
            ),
        )
        for option in reversed(options):
            function = option(function)
        return function

    return with_options


def only_for_series(model: str, variables: Path | None) -> None:
    """Refuse a map of variables for a model that reads no time series.

    Raises
    ------
    UsageError
        If one is given to such a model.
    """
    if variables is not None and not model.startswith("icu"):
        raise UsageError(f"--variables is not for {model}", do="Leave it out.")


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
