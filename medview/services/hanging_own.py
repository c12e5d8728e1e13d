"""Rules of hanging of the reader's own: one file, read beside the window when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from medview.domain.errors import MedviewError, UsageError, WriteError
from medview.domain.resources import resource
from medview.io.atomic import own_file
from medview.services.hanging_file import rules_in, with_rule, without_rule
from medview.services.hanging_rules import Rule
from medview.services.known import Known
from medview.services.session_values import Message
from medview.services.writing import Writer

FILE = "hanging.toml"
# Of texts that were read before, so many are not gone through again.
_TEXTS = 4

_rules_in = lru_cache(_TEXTS)(rules_in)


class OwnRules:
    """The rules in `folder`, None where none are kept; what is wrong is told once by `tell`."""

    def __init__(
        self, folder: Path | None, writer: Writer, tell: Callable[[Message], object]
    ) -> None:
        self.file = None if folder is None else folder / FILE
        self._writer, self._tell = writer, tell
        # None stands for a file that cannot be read.
        self._text: Known[str | None] = Known(self._read, "", writer)
        self._told: str | None = None

    def look(self, then: Callable[[], object] = lambda: None) -> None:
        """Have the file read, then call `then`: what was written by hand counts as well."""
        self._text.look(then)

    def rules(self) -> tuple[Rule, ...]:
        """All that could be read, in order; none of a file that is damaged."""
        text = self._text.now
        try:
            if text is None:
                raise UsageError("cannot be read")
            rules, wrong = _rules_in(text)
        except UsageError as error:
            self._warn(f"{FILE} in the settings folder {error.what}. The rules that came are used.")
            return ()
        if wrong:
            more = f" {len(wrong) - 1} more rules have a fault." if len(wrong) > 1 else ""
            self._warn(f"{FILE}, {wrong[0]}.{more} All other rules are used.")
        return rules

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the rules, in order."""
        return tuple(rule.name for rule in self.rules())

    def keep(
        self, rule: Rule, *, hangs: bool = True, done: Callable[[], object] = lambda: None
    ) -> None:
        """Put a rule before the others, then call `done`; a sentence where that cannot be.

        `hangs` says whether studies are hung by rules as they are opened.
        """

        def change(text: str) -> str:
            if any(other.name == rule.name for other in _rules_in(text)[0]):
                raise UsageError(
                    f"there is a rule “{rule.name}” of yours already", do="Choose another name."
                )
            return with_rule(text, rule)

        said = "Studies like this one are hung so from now on"
        if not hangs:
            said = "Kept for the keys . and , as studies are not hung when they are opened"
        self._rewrite(change, f"{said}: {rule.name}", done)

    def delete(self, name: str) -> None:
        """Take a rule away; a sentence where that cannot be."""
        self._rewrite(lambda text: without_rule(text, name), f"The rule “{name}” is deleted.")

    def begin(self, show: Callable[[Path], object]) -> None:
        """Hand the file over, made with a word on how rules are written where there is none."""
        file = self.file
        if file is None:
            return

        def work() -> None:
            if not file.is_file():
                notes = resource(FILE).read_text("utf-8").partition("\n\n[[rule]]")[0]
                _write(file, f"{notes}\n")

        self._writer.put(work, done=lambda: show(file), failed=self._refused)

    def _read(self) -> str | None:
        try:
            return "" if self.file is None else self.file.read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except (OSError, UnicodeDecodeError):
            return None

    def _rewrite(
        self, change: Callable[[str], str], said: str, done: Callable[[], object] = lambda: None
    ) -> None:
        """Change the text, which must be readable: nothing is written over a damaged file."""
        file = self.file

        def work() -> None:
            if file is None:
                raise WriteError("nothing is kept in this session", file=FILE)
            text = self._read()
            if text is None:
                raise WriteError("cannot be read", file=FILE, do="Mend it, or move it away, first.")
            _check(text)
            _write(file, change(text))

        def written() -> None:
            self._tell(Message(said))
            self._text.look(done)

        self._writer.put(work, done=written, failed=self._refused)

    def _refused(self, error: MedviewError) -> None:
        self._tell(Message.of(error))

    def _warn(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._tell(Message(text, "warning"))


def _write(file: Path, text: str) -> None:
    with own_file(file) as draft:
        draft.write_text(text, "utf-8")


def _check(text: str) -> None:
    """Raise UsageError of a text that is damaged."""
    try:
        _rules_in(text)
    except UsageError as error:
        raise UsageError(error.what, file=FILE, do="Mend it, or move it away, first.") from error
