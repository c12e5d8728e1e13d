"""The versions of the models there are, and adding weights of one's own to them."""

from __future__ import annotations

import shutil
from pathlib import Path

from psygnal import Signal

from medview.domain.card import ModelCard
from medview.domain.errors import MedviewError, WeightsError
from medview.domain.progress import Progress
from medview.services.jobs import Job, Jobs
from medview.services.models import CHECK
from medview.services.session import Message, Session
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.versions import Version, import_file, own_folder, register, remove, versions

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
    from medview.io.cards import read_card

    return register(path, read_card(path.with_name("card.json")).version, own=own)


class ModelLibrary:
    """Lists versions; ``changed`` tells that there is one more or less."""

    changed = Signal()

    def __init__(
        self, jobs: Jobs, session: Session, *, shipped: Path | None = None, own: Path | None = None
    ) -> None:
        self._jobs = jobs
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._shipped = shipped
        self._own = own or own_folder()

    def versions(self, model: str | None = None) -> tuple[Version, ...]:
        """Shipped versions first, then the user's own."""
        return versions(model, shipped=self._shipped, own=self._own)

    def add(self, path: Path) -> Job | None:
        """Add weights of one's own; they are checked by the network before they stay."""
        try:
            refuse_code(path)
        except WeightsError as error:
            self._session.message = Message.of(error)
            return None
        errand = Errand("Adding weights", "files", ADD, (path, self._own), about=path.name)
        return self._tasks.run(errand, Answers(self._added))

    def check(self, version: Version) -> Job:
        """Compare weights with their card and the network."""
        card = version.card
        return self._tasks.run(self._checking(version), Answers(lambda told: self._sound(card)))

    def remove(self, version: Version) -> None:
        """Take a version of one's own away."""
        try:
            remove(version)
        except MedviewError as error:
            self._session.message = Message.of(error)
        self.changed.emit()

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
        self.changed.emit()

    def _sound(self, card: ModelCard) -> None:
        tail = card.weights_sha256[:8]
        text = f"{card.title} {card.version}: the weights are those of the card ({tail} …)."
        self._session.message = Message(text)

    def _refused(self, version: Version) -> None:
        """Weights that do not fit the network do not stay."""
        shutil.rmtree(version.weights.parent, ignore_errors=True)
        self.changed.emit()
