"""What a command prints: one JSON object or plain words on stdout, errors also on stderr."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medview.domain.discretion import discreet
from medview.domain.errors import Cancelled, MedviewError, UsageError

if TYPE_CHECKING:
    from medview.cli.contract import Reply


# What a terminal obeys, but for ends of lines and tabs.
_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Voice:
    """How this run of the program speaks, known before its words have been understood."""

    json: bool
    debug: bool
    private: bool

    @classmethod
    def for_words(cls, words: list[str]) -> Voice:
        """Read the three options that decide how even a misuse is told."""
        options = words[: words.index("--")] if "--" in words else words
        return cls("--json" in options, "--debug" in options, "--private" in options)

    def answer(self, reply: Reply) -> int:
        """Print an answer and return its exit code."""
        unprinted = _print(one_line(reply.body) if self.json else reply.text)
        if not unprinted:
            return reply.exit_code
        failed = MedviewError(
            f"the answer could not be printed ({unprinted})",
            code="MV-OUT-001",
            still_works="files that were written are whole",
            do="Send it to another place.",
        )
        _print(f"medview: {failed}", to_stderr=True)
        return failed.exit_code

    def misused(self, error: click.ClickException) -> int:
        """Tell what was wrong with the words of the command (exit 2)."""
        context = error.ctx if isinstance(error, click.UsageError) else None
        path = context.command_path if context else "medview"
        what = error.format_message().strip().rstrip(".")
        return self.failed(UsageError(what, do=f'"{path} --help" shows how it is used.'))

    def stopped(self, do: str = "") -> int:
        """Tell that the user stopped the command (exit 130), and how to go on."""
        return self.failed(Cancelled("stopped before the end", do=do))

    def failed(self, error: Exception) -> int:
        """Tell any error in a sentence, and in JSON where that was asked for."""
        known = error if isinstance(error, MedviewError) else self._in_plain_words(error)
        if self.private:
            # Files, folders and cases are often called like the patient.
            known.what = discreet(known.what, known.file, instead="the file")
            known.file = ""
        if self.debug:
            traceback.print_exception(error)
        _print(f"medview: {known}", to_stderr=True)
        if self.json:
            _print(one_line({"schema": "medview.error/1", **known.as_dict()}))
        return known.exit_code

    def _in_plain_words(self, error: Exception) -> MedviewError:
        if isinstance(error, MemoryError):
            return MedviewError(
                "not enough memory", code="MV-GEN-002", do="Close other programs and try again."
            )
        if isinstance(error, OSError) and error.strerror:
            return MedviewError(
                error.strerror[0].lower() + error.strerror[1:],
                code="MV-GEN-003",
                file=os.path.basename(str(error.filename or "")),
                do="Check the disk, the folder and your rights there.",
            )
        kind = type(error).__name__
        detail = kind if self.private or not str(error) else f"{kind}: {error}"
        return MedviewError(
            f"unexpected error ({detail})",
            do='Run it again with "--debug" and report what it says.',
        )


def one_line(body: Mapping[str, Any]) -> str:
    """Write a body as one line of JSON that every parser takes: no NaN, no infinity."""
    return json.dumps(plain(body), ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """Turn what commands hand over into JSON's own kinds; NaN and infinity become None."""
    if value is None or isinstance(value, str | bool | int):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if hasattr(value, "tolist"):  # numpy arrays and scalars, without importing numpy
        return plain(value.tolist())
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def in_words(body: Mapping[str, Any]) -> str:
    """Outline a body for a reader: one fact a line, lists indented, the schema left out."""
    facts = {key: value for key, value in plain(body).items() if key != "schema"}
    return "\n".join(_outline(facts, 0))


def _outline(value: Any, depth: int) -> Iterator[str]:
    margin = "  " * depth
    if isinstance(value, dict):
        for key, item in value.items():
            if _is_short(item):
                yield f"{margin}{key.replace('_', ' ')}: {_short(item)}"
            else:
                yield f"{margin}{key.replace('_', ' ')}:"
                yield from _outline(item, depth + 1)
        return
    for item in value:
        if _is_short(item):
            yield f"{margin}- {_short(item)}"
        else:
            first, *rest = _outline(item, depth + 1)
            yield f"{margin}- {first.strip()}"
            yield from rest


def _is_short(value: Any) -> bool:
    if isinstance(value, dict):
        return not value
    return not isinstance(value, list) or not any(isinstance(v, dict | list) for v in value)


def _short(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_short(item) for item in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _print(text: str, *, to_stderr: bool = False) -> str:
    """Print a line in UTF-8 and return why that failed; that nobody reads any more is no error.

    Names of files and words of headers may hold what colours or clears a terminal: that is shown.
    """
    stream = sys.stderr if to_stderr else sys.stdout
    line = _COMMANDS.sub("\ufffd", text.rstrip("\n")) + "\n"
    try:
        stream.flush()
        if hasattr(stream, "buffer"):
            stream.buffer.write(line.encode("utf-8", "replace"))
        else:
            stream.write(line)
        stream.flush()
    except OSError as error:
        # Else the interpreter complains once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        gone = isinstance(error, BrokenPipeError)
        return "" if gone else (error.strerror or type(error).__name__)
    return ""


@contextmanager
def stdout_kept_clean() -> Iterator[None]:
    """Send everything that is printed meanwhile to stderr, by this process and its children.

    Codecs and networks print from C, where only the file descriptor can be turned.
    """
    with redirect_stdout(sys.stderr), _descriptor_turned():
        yield


@contextmanager
def _descriptor_turned() -> Iterator[None]:
    stdout = sys.__stdout__
    if stdout is None or stdout.closed:
        yield
        return
    stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
