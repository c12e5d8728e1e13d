"""The versions of the models there are, and adding weights of one's own to them."""

from __future__ import annotations

import shutil
from functools import cached_property
from pathlib import Path

from psygnal import Signal

from medview.domain.card import ModelCard
from medview.domain.errors import MedviewError, WeightsError
from medview.domain.progress import Progress
from medview.services.jobs import Job, Jobs
from medview.services.known import Known
from medview.services.models import CHECK
from medview.services.session import Session
from medview.services.session_values import Message
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.telling import titles_of
from medview.services.versions import (
    Version,
    export,
    import_file,
    own_folder,
    own_versions,
    register,
    remove,
    shipped_versions,
)
from medview.services.writing import AtOnce, Writer

ADD = "medview.services.model_library:add"
_SAFE = ".safetensors"
_ARCHIVE = ".zip"
# Formats that are programs, or that run one when they are opened.
_CODE = {
    ".pt": "PyTorch's own format, or TorchScript",
    ".pth": "PyTorch's own format, or TorchScript",
    ".ts": "TorchScript",
    ".torchscript": "TorchScript",
    ".ckpt": "a checkpoint",
    ".bin": "PyTorch's own format",
    ".pkl": "a pickle",
    ".pickle": "a pickle",
    ".joblib": "a pickle",
}


def refuse_code(path: Path) -> None:
    """Refuse weights in a format that can hold a program, with the reason.

    Raises
    ------
    WeightsError
        Always for such a format, and for one that is none of weights.
    """
    kind = _CODE.get(path.suffix.lower())
    if kind is not None:
        raise WeightsError(
            f"this is {kind}, which can contain program code and is never opened",
            file=path.name,
            do="Use weights stored as safetensors, with their card.json beside them.",
            code="MV-WGT-002",
        )
    if path.suffix.lower() not in (_SAFE, _ARCHIVE):
        raise WeightsError(
            "this is no weights file",
            file=path.name,
            do="Choose a .safetensors file with card.json beside it, or an exported version.",
            code="MV-WGT-009",
        )


def add(job: Progress, path: Path, own: Path) -> Version:
    """Copy weights with their card, or an exported version, to the user's own. In a child.

    Raises
    ------
    WeightsError
        A format with code in it, no card, or a card that is not of these weights.
    UsageError
        The version is there already.
    """
    refuse_code(path)
    job.check()
    if path.suffix.lower() == _ARCHIVE:
        return import_file(path, own=own)
    from medview.io.cards import CARD, read_card

    return register(path, read_card(path.with_name(CARD)).version, own=own)


class ModelLibrary:
    """Lists versions; ``changed`` tells that there is one more or less."""

    changed = Signal()

    def __init__(
        self,
        jobs: Jobs,
        session: Session,
        *,
        shipped: Path | None = None,
        own: Path | None = None,
        writer: Writer | None = None,
    ) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._folders = shipped, own or own_folder()
        self._writer = writer or AtOnce()
        self._own: Known[tuple[Version, ...]] = Known(
            lambda: own_versions(self._folders[1]), (), self._writer
        )
        self._own.changed.connect(self.changed.emit)
        session.titles = titles_of(each.card for each in self.shipped)

    @cached_property
    def shipped(self) -> tuple[Version, ...]:
        """The versions that came with the program, read once."""
        return shipped_versions(self._folders[0])

    def versions(self, model: str | None = None) -> tuple[Version, ...]:
        """Shipped versions first, then the user's own, as they were found last."""
        every = (*self.shipped, *self._own.now)
        return tuple(one for one in every if model in (None, one.card.id))

    def look(self) -> None:
        """Have the user's own versions looked for again: there is one more or less."""
        self._own.look(self.changed.emit)

    def add(self, path: Path) -> Job | None:
        """Add weights of one's own; they are checked by the network before they stay."""
        try:
            refuse_code(path)
        except WeightsError as error:
            self._session.message = Message.of(error)
            return None
        errand = Errand("Adding weights", "files", ADD, (path, self._folders[1]), about=path.name)
        return self._tasks.run(errand, Answers(self._added))

    def check(self, version: Version) -> Job:
        """Compare weights with their card and the network."""
        card = version.card
        return self._tasks.run(self._checking(version), Answers(lambda told: self._sound(card)))

    def export(self, version: Version, file: Path) -> None:
        """Write a version with its card as one file, which another installation can add."""

        def told() -> None:
            self._session.message = Message(f"Version written: {file.name}.")

        self._writer.put(lambda: export(version, file), done=told, failed=self._not_written)

    def _not_written(self, error: MedviewError) -> None:
        self._session.message = Message.of(error)

    def remove(self, version: Version) -> None:
        """Take a version of one's own away, beside the window."""
        self._writer.put(lambda: remove(version), done=self.look, failed=self._not_removed)

    def _not_removed(self, error: MedviewError) -> None:
        self._session.message = Message.of(error)
        self.look()

    def _added(self, version: Version) -> None:
        self._tasks.run(
            self._checking(version),
            Answers(lambda told: self._kept(version), lambda error: self._refused(version)),
        )

    def _checking(self, version: Version) -> Errand:
        words = (version.card.id, str(version.weights))
        return Errand("Checking weights", "compute", CHECK, words, about=version.name)

    def _kept(self, version: Version) -> None:
        self._sound(version.card)
        self.look()

    def _sound(self, card: ModelCard) -> None:
        tail = card.weights_sha256[:8]
        text = f"{card.title} {card.version}: the weights are those of the card ({tail} …)."
        self._session.message = Message(text)

    def _refused(self, version: Version) -> None:
        """Weights that do not fit the network do not stay."""
        folder = version.weights.parent
        self._writer.put(lambda: shutil.rmtree(folder, ignore_errors=True), done=self.look)
