"""What every command has in common: its options, its context and its answer."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medview.cli.output import in_words, stdout_kept_clean
from medview.cli.progress import ProgressLine

if TYPE_CHECKING:
    from medview.services.jobs import Jobs, LaneName

DEVICE = r"auto|cpu|cuda(:\d+)?"
"""What a device may be called."""
Words = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Options:
    """The options that every command understands.

    `threads` None leaves the number to the libraries; `private` asks for answers without name,
    id, birth date and path.
    """

    device: str = "auto"
    threads: int | None = None
    seed: int = 0
    quiet: bool = False
    json: bool = False
    private: bool = False
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found: the JSON object without its "schema".

    `exit_code` is 0, or 1 for "ran, and the answer is no". `kind` replaces the command's own
    where one command gives two sorts of answer; `text` replaces the plain words. With `silent`
    nothing is printed: another process has the answer.
    """

    body: Mapping[str, Any]
    exit_code: int = 0
    kind: str = ""
    text: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on its way out, with everything that printing it needs."""

    body: Mapping[str, Any]
    text: str
    exit_code: int


@dataclass(slots=True)
class Context:
    """Handed to every command as its first argument."""

    options: Options
    progress: ProgressLine
    _jobs: Jobs | None = field(default=None, repr=False)

    @property
    def jobs(self) -> Jobs:
        """The lanes of child processes, started at first use and ended with the command."""
        if self._jobs is None:
            from medview.services.jobs import Jobs

            self._jobs = Jobs(lambda call: call())
        return self._jobs

    def call(self, lane: LaneName, work: str, *args: object) -> Any:
        """Run "module:function" in the child of `lane`, show its progress, return its result."""
        return self.jobs.call(lane, work, *args, progress=self.report)

    def report(self, done: int, total: int, text: str = "") -> None:
        """Show how much is done, on stderr; silent with --quiet."""
        self.progress.report(done, total, text)

    def check(self) -> None:
        """Never cancelled: an interrupt ends the command at once."""

    def partial(self, payload: object) -> None:
        """Ignore parts: the command line prints whole answers."""

    def say(self, text: str) -> None:
        """Print one message on stderr; silent with --quiet."""
        self.progress.say(text)

    def close(self) -> None:
        """End the children and the progress line."""
        self.progress.end()
        if self._jobs is not None:
            self._jobs.close()


def command(
    kind: str, *, words: Words = in_words
) -> Callable[[Callable[..., Answer]], click.Command]:
    """Make a click command of a function that takes a `Context` and returns an `Answer`.

    `kind` names the answer's schema, "medview.<kind>/1"; `words` turns the body into what is
    printed without --json. Arguments and options of its own are declared below this decorator,
    with click. The function's name, with dashes, is the command's, its docstring the help.
    """

    def make(function: Callable[..., Answer]) -> click.Command:
        @functools.wraps(function)
        def body(**parameters: Any) -> Reply | int:
            names = Options.__slots__
            options = Options(**{name: parameters.pop(name) for name in names})
            answer = _run(function, options, parameters)
            if answer.silent:
                return answer.exit_code
            whole = {"schema": f"medview.{answer.kind or kind}/1", **answer.body}
            return Reply(whole, answer.text or words(whole), answer.exit_code)

        for option in reversed(_COMMON):
            body = option(body)
        name = function.__name__.rstrip("_").replace("_", "-")
        made = click.command(name=name)(body)
        for parameter in made.params:
            if isinstance(parameter.type, click.Path):
                parameter.type = _NamedPath(path_type=Path, readable=parameter.type.readable)
        return made

    return make


class _NamedPath(click.Path):
    """A path with a name: an empty word would stand for the current folder.

    Scripts hand one over where a variable of theirs is not set.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the name is empty", param, ctx)
        return super().convert(value, param, ctx)


def _run(function: Callable[..., Answer], options: Options, parameters: dict[str, Any]) -> Answer:
    context = Context(options, ProgressLine.for_stderr(quiet=options.quiet))
    with stdout_kept_clean(), _environment(options):
        try:
            _sweep_beside(parameters.get("out"))
            return function(context, **parameters)
        finally:
            context.close()


def _sweep_beside(out: object) -> None:
    """Remove what an earlier command that was killed has left where this one writes."""
    if isinstance(out, Path):
        from medview.io.atomic import sweep

        sweep(out.parent)


@contextmanager
def _environment(options: Options) -> Iterator[None]:
    """Hand to all children started meanwhile what only the environment can tell them."""
    wanted = {
        "OMP_NUM_THREADS": str(options.threads) if options.threads else None,
        "MEDVIEW_DEBUG": "1" if options.debug else None,
    }
    changed = {name: value for name, value in wanted.items() if value is not None}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _device(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(DEVICE, value):
        raise click.BadParameter(f"{value!r} is none of auto, cpu, cuda, cuda:N")
    return value


_COMMON = (
    click.option(
        "--device",
        default="auto",
        show_default=True,
        metavar="auto|cpu|cuda[:N]",
        callback=_device,
        help="Where models run.",
    ),
    click.option("--threads", type=click.IntRange(min=1), help="Processor threads to use."),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Start of every random draw.",
    ),
    click.option("--quiet", is_flag=True, help="No progress and no messages."),
    click.option("--json", is_flag=True, help="Print exactly one JSON object."),
    click.option("--private", is_flag=True, help="No name, id, birth date or path in the answer."),
    click.option("--debug", is_flag=True, help="Show where in the program an error arose."),
)
