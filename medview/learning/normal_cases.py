"""Normal brains to train on: read, cleaned, and parted into training and validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from medview.domain.errors import DataError, InputRefused
from medview.domain.progress import Progress
from medview.domain.volume import Volume
from medview.learning.augment import Brain
from medview.learning.brain import CleanBrain, clean, middle_of
from medview.learning.cases import PreparedCase, brain_of, prepare_case
from medview.learning.grid import BrainGrid
from medview.learning.images import read_image
from medview.learning.subset import LeftOut, Subset, TrainCase, none_usable
from medview.learning.upright_slices import upright_head


@dataclass(frozen=True, slots=True, eq=False)
class NormalCase:
    """A normal case ready for training and for measuring."""

    case: TrainCase
    brains: tuple[Brain, ...]
    prepared: PreparedCase
    training_only: bool = False


def load_normals(
    job: Progress, subsets: Sequence[Subset], *, upright: bool = False, turned: bool = False
) -> tuple[tuple[NormalCase, ...], tuple[LeftOut, ...]]:
    """Read and clean every normal case; the second list names those that cannot be used.

    `upright`: scores are of heads as if they lay upright. Learnt from are brains as they lie, with
    `turned` those that lie turned upright, too.

    Raises
    ------
    DataError
        If none can be used.
    """
    cases = [(case, subset.training_only) for subset in subsets for case in subset.cases]
    ready, skipped = [], [one for subset in subsets for one in subset.skipped]
    for n, (case, training_only) in enumerate(cases):
        job.check()
        job.report(n, len(cases), f"reading case {n + 1} / {len(cases)}")
        try:
            one = load_normal(case, upright=upright, turned=turned)
            ready.append(replace(one, training_only=training_only))
        except InputRefused as error:
            skipped.append(LeftOut(case.case, error.code, error.what))
    if not ready:
        raise _nothing_to_train_on(skipped)
    return tuple(ready), tuple(skipped)


def _nothing_to_train_on(skipped: Sequence[LeftOut]) -> DataError:
    if not skipped:
        return DataError(
            "no normal case was found to train on",
            do="Give a folder of normal T1 volumes.",
            code="MV-DAT-030",
        )
    return none_usable(skipped, "MV-DAT-031")


def load_normal(case: TrainCase, *, upright: bool = False, turned: bool = False) -> NormalCase:
    """One case: its brain with the mask that came with it and with the one found here.

    Both are trained on, so that the model knows either outline; with `turned` both upright, too,
    where the head lies turned. The first is the brain as it lies.
    """
    volume = read_image(case.image, case.pixel_mm)
    given = brain_of(case, volume)
    versions = [clean(volume, given)]
    if given is not None and not versions[0].skull_stripped:
        versions.append(clean(volume))
    brains = [_brain_of(case, volume, version) for version in versions]
    for version in versions if turned else ():
        mask = BrainGrid.of(volume.geometry, middle_of(version.mask)).to_volume(version.mask)
        head = upright_head(volume, mask.astype(bool))
        if head is not None:
            brains.append(_brain_of(case, head.volume, clean(head.volume, head.mask)))
    return NormalCase(case, tuple(brains), prepare_case(case, upright=upright))


def _brain_of(case: TrainCase, volume: Volume, cleaned: CleanBrain) -> Brain:
    """What is learnt from, of a volume that was cleaned."""
    axes, steps = volume.geometry.axis_of, volume.geometry.spacing_mm
    step_mm = (steps[axes[2]], steps[axes[1]], steps[axes[0]])
    return Brain.of(case.patient, cleaned.values, cleaned.mask, step_mm)


def split(cases: Sequence[NormalCase]) -> dict[str, tuple[NormalCase, ...]]:
    """Parts by the case list's own split; cases without one are trained on."""
    train = tuple(c for c in cases if c.case.split in ("", "train"))
    val = tuple(c for c in cases if c.case.split == "val")
    return {"train": train, "val": val}
