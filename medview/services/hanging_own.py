"""Rules of hanging of the reader's own: one file, read again when it has changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from medview.domain.errors import MedviewError, UsageError, WriteError
from medview.domain.resources import resource
from medview.io.atomic import whole_file
from medview.services.hanging_file import rules_in, with_rule, without_rule
from medview.services.hanging_rules import Rule
from medview.services.session import Message
from medview.services.writing import Writer

FILE = "hanging.toml"
# Of texts that were read before, so many are not gone through again.
_TEXTS = 4

_rules_in = lru_cache(_TEXTS)(rules_in)
# What tells a file from what it was before: when it was written, its size, its inode.
_Stamp = tuple[int, int, int]


class OwnRules:
    """The rules in `folder`, None where none are kept; what is wrong is told once by `tell`."""

    def __init__(
        self, folder: Path | None, writer: Writer, tell: Callable[[Message], object]
    ) -> None:
        self.file = None if folder is None else folder / FILE
        self._writer, self._tell = writer, tell
        self._text = ""
        self._stamp: _Stamp | None = None
        self._unwritten: list[str] = []
        self._told: str | None = None

    def rules(self) -> tuple[Rule, ...]:
        """All that can be read, in order; none of a file that is damaged."""
        try:
            rules, wrong = _rules_in(self._read())
        except (UsageError, OSError, UnicodeDecodeError) as error:
            why = error.what if isinstance(error, UsageError) else "cannot be read"
            self._warn(f"{FILE} in the settings folder {why}. The rules that came are used.")
            return ()
        if wrong:
            more = f" {len(wrong) - 1} more rules have a fault." if len(wrong) > 1 else ""
            self._warn(f"{FILE}, {wrong[0]}.{more} All other rules are used.")
        return rules

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the rules, in order."""
        return tuple(rule.name for rule in self.rules())

    def keep(self, rule: Rule, *, hangs: bool = True) -> bool:
        """Put a rule before the others; False, with a sentence, where that cannot be.

        `hangs` says whether studies are hung by rules as they are opened.
        """
        if rule.name in self.names:
            taken = UsageError(
                f"there is a rule “{rule.name}” of yours already", do="Choose another name."
            )
            self._tell(Message.of(taken))
            return False
        said = "Studies like this one are hung so from now on"
        if not hangs:
            said = "Kept for the keys . and , as studies are not hung when they are opened"
        return self._rewrite(lambda text: with_rule(text, rule), f"{said}: {rule.name}")

    def delete(self, name: str) -> bool:
        """Take a rule away; False, with a sentence, where that cannot be."""
        return self._rewrite(
            lambda text: without_rule(text, name), f"The rule “{name}” is deleted."
        )

    def begin(self, show: Callable[[Path], object]) -> None:
        """Hand the file over, made with a word on how rules are written where there is none."""
        file = self.file
        if file is None or file.is_file():
            if file is not None:
                show(file)
            return
        notes = resource(FILE).read_text("utf-8").partition("\n\n[[rule]]")[0]
        self._write(file, f"{notes}\n", lambda: show(file))

    def _read(self) -> str:
        """The text of the file, as it will be when all that was asked for is written."""
        if self._unwritten:
            return self._unwritten[-1]
        stamp = None if self.file is None else _stamp(self.file)
        if self.file is None or stamp is None:
            return ""
        if stamp != self._stamp:
            self._text = self.file.read_text("utf-8")
            self._stamp = stamp
        return self._text

    def _rewrite(self, change: Callable[[str], str], said: str) -> bool:
        """Change the text, which must be readable: nothing is written over a damaged file."""
        file = self.file
        try:
            if file is None:
                raise WriteError("nothing is kept in this session", file=FILE)
            text = self._read()
            _check(text)
        except (OSError, UnicodeDecodeError) as error:
            self._tell(Message(f"{FILE} cannot be read ({error}).", "error"))
            return False
        except MedviewError as error:
            self._tell(Message.of(error))
            return False
        self._write(file, change(text), lambda: self._tell(Message(said)))
        return True

    def _write(self, file: Path, text: str, done: Callable[[], object]) -> None:
        self._unwritten.append(text)

        def work() -> None:
            with whole_file(file) as draft:
                draft.write_text(text, "utf-8")

        def written() -> None:
            self._unwritten.pop(0)
            done()

        def refused(error: MedviewError) -> None:
            self._unwritten.pop(0)
            self._tell(Message.of(error))

        self._writer.put(work, done=written, failed=refused)

    def _warn(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._tell(Message(text, "warning"))


def _stamp(file: Path) -> _Stamp | None:
    """None where there is no file."""
    with suppress(FileNotFoundError, NotADirectoryError):
        told = file.stat()
        return told.st_mtime_ns, told.st_size, told.st_ino
    return None


def _check(text: str) -> None:
    """Raise UsageError of a text that is damaged."""
    try:
        _rules_in(text)
    except UsageError as error:
        raise UsageError(error.what, file=FILE, do="Mend it, or move it away, first.") from error
