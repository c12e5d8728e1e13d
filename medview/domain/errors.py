"""The one family of errors; each carries a sentence that a radiologist can act on."""

from __future__ import annotations

from typing import ClassVar


class MedviewError(Exception):
    """Something the user can be told in plain words.

    Parameters
    ----------
    what : str
        What is wrong, one plain clause without a final full stop.
    code : str
        Stable code, "MV-<AREA>-<number>".
    file : str
        File, folder, case or series it is about (base name only, never a full path).
    do : str
        What the user can do about it.
    skipped : int
        How many files or cases were left out because of it.
    still_works : str
        What remains usable.
    """

    exit_code: ClassVar[int] = 4
    default_code: ClassVar[str] = "MV-GEN-001"

    def __init__(
        self,
        what: str,
        *,
        code: str = "",
        file: str = "",
        do: str = "",
        skipped: int = 0,
        still_works: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.code = code or self.default_code
        self.file = file
        self.do = do
        self.skipped = skipped
        self.still_works = still_works

    def __str__(self) -> str:
        head = f"{self.file}: {self.what}" if self.file else self.what
        end = "" if head.endswith(("?", "!")) else "."
        return f"{head.rstrip('.')}{end} {self.do}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.as_dict())

    def as_dict(self) -> dict[str, object]:
        """Return the fields of ``medview.error/1``, without the schema."""
        return {
            "code": self.code,
            "file": self.file,
            "what": self.what,
            "skipped": self.skipped,
            "still_works": self.still_works,
            "do": self.do,
        }


def _rebuild(kind: type[MedviewError], fields: dict[str, object]) -> MedviewError:
    """Make the error again on the other side of a process boundary."""
    what = str(fields.pop("what"))
    return kind(what, **fields)  # type: ignore[arg-type]  # as_dict() holds exactly the keywords


class UsageError(MedviewError):
    """The command was used wrongly (exit 2)."""

    exit_code = 2
    default_code = "MV-USE-001"


class InputRefused(MedviewError):
    """The input cannot be used (exit 3); base of all refusals."""

    exit_code = 3
    default_code = "MV-IN-001"


class ReadError(InputRefused):
    """A file or series could not be read."""

    default_code = "MV-IO-001"


class GeometryError(InputRefused):
    """Positions in space are missing or contradict each other."""

    default_code = "MV-GEO-001"


class ModelInputError(InputRefused):
    """A model and the data given to it do not fit."""

    default_code = "MV-MOD-001"


class WeightsError(InputRefused):
    """Weights are missing, damaged or not what their card says."""

    default_code = "MV-WGT-001"


class DataError(InputRefused):
    """A training or evaluation set is unusable: column, row or case is named."""

    default_code = "MV-DAT-001"


class WriteError(MedviewError):
    """A result could not be written."""

    default_code = "MV-OUT-001"


class WorkerDied(MedviewError):
    """A child process ended before its answer."""

    default_code = "MV-JOB-001"


OUT_OF_MEMORY = "MV-JOB-002"
"""The code of every error that says that memory ran out."""
NOT_STAGED = "MV-VIEW-002"
"""The code where what is to be drawn in 3-D is not, or no more, in the process that draws."""


class Cancelled(MedviewError):
    """The user asked to stop (exit 130)."""

    exit_code = 130
    default_code = "MV-JOB-130"
