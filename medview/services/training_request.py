"""What is asked of a training by what the reader chose, and what it was when it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medview.domain.training import FinetuneRequest, TrainRequest
from medview.services.recipes import epochs_of, halved, rate_setting, read_recipe
from medview.services.settings import Settings
from medview.services.tasks import Errand
from medview.services.training import trainer_of
from medview.services.tuned import Tuned, Wish
from medview.services.versions import Version

FINETUNE = "medview.learning.finetune:finetune"
LEAVE_SITES = "medview.learning.left_sites:finetune_and_leave_sites"
CALIBRATE = "medview.learning.recalibrate:recalibrate"
CALIBRATE_SITES = "medview.learning.left_sites:calibrate_and_leave_sites"


def request_of(
    now: Tuned,
    version: Version,
    settings: Settings,
    folder: Path,
    *,
    resume: bool = False,
    max_minutes: float | None = None,
) -> FinetuneRequest:
    """A training of `version` on the cases of `now`, which writes into `folder`."""
    wish = now.wish
    own = [f"epochs={wish.epochs}"] if wish.epochs else []
    own += [f"folds={wish.folds}"] if wish.folds else []
    own += [f"{rate_setting(version.card.id, {})[0]}={wish.rate!r}"] if wish.rate else []
    own += halved(read_recipe(version.card.id), wish.halved) if wish.halved else []
    train = TrainRequest(
        data=(str(now.data),),
        out=str(folder),
        recipe={} if now.is_fit else read_recipe(version.card.id, None, own),
        seed=wish.seed,
        threads=settings.threads or None,
        device=settings.device,
        init=str(version.weights),
        resume=resume,
        private=settings.private,
        method=wish.method,
        preview=True,
        max_minutes=max_minutes,
    )
    locked = (str(now.reference),) if now.reference is not None else ()
    return FinetuneRequest(version.card.id, train, locked)


def errand_of(now: Tuned, request: FinetuneRequest) -> Errand:
    """The training as the list of jobs calls it, and the work it is.

    One that ends after some minutes is about the version that is kept: no site is gone through.
    """
    sites = now.wish.sites and now.can_leave_sites and request.train.max_minutes is None
    about = now.data.name if now.data is not None else ""
    doing = "Calibrate" if now.is_fit else "Fine-tune"
    title = f"{doing} {now.wish.version.replace('@', ' ')}"
    work, args = work_of(request, leaves_sites=sites)
    return Errand(title, "train", work, args, about, "finetune")


def work_of(request: FinetuneRequest, *, leaves_sites: bool) -> tuple[str, tuple[object, ...]]:
    """The work function of a training or a calibration, and what it is given.

    With `leaves_sites` it is done once more without each site.
    """
    if request.train.is_fit:
        return CALIBRATE_SITES if leaves_sites else CALIBRATE, (request,)
    work = LEAVE_SITES if leaves_sites else FINETUNE
    return work, (request, trainer_of(request.model))


def epochs_wished(now: Tuned) -> int:
    """How many epochs Start would train."""
    return 1 if now.is_fit else now.wish.epochs or epochs_of(read_recipe(now.model))


def as_wish(now: Tuned) -> dict[str, Any]:
    """What a training is, to be kept beside its checkpoint."""
    locked = str(now.reference) if now.reference is not None else None
    return {
        **{name: getattr(now.wish, name) for name in Wish.__slots__},
        "data": str(now.data),
        "reference": locked,
        "locked": dict(now.locked),
        "found": dict(now.found),
    }


def as_begun(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What a training was begun with, as fields of ``Tuned``; none where that is not known."""
    if not kept.get("data"):
        return {}
    counted = {"locked": kept["locked"]} if kept.get("locked") else {}
    return {
        **counted,
        "data": Path(kept["data"]),
        "reference": Path(kept["reference"]) if kept.get("reference") else None,
        "found": kept.get("found", {}),
        "wish": Wish(**{name: kept[name] for name in Wish.__slots__ if name in kept}),
    }
