"""Each case of a training read once before anything runs, so that a bad file is known by name.

To check cases of another model: write a function that reads one, and a line in ``READS``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from medview.domain.case_check import TAKE_OUT, Fault, Tried
from medview.domain.errors import Cancelled, MedviewError
from medview.domain.progress import Progress
from medview.learning import film, refusals
from medview.learning.cases import ARMED, brain_of, find_subsets, values_on
from medview.learning.finetune import told_of
from medview.learning.images import read_image
from medview.learning.subset import TrainCase


def check(
    job: Progress,
    model: str,
    data: tuple[str, ...],
    tried: tuple[str, ...] = (),
    faults: tuple[Fault, ...] = (),
    init: str | None = None,
) -> dict[str, Any]:
    """Read every case that was not `tried`, and count what a training can use.

    One that cannot be read never stops the others. What ends this process ends it at the case
    that was handed over last, so that whoever asked can go on behind it.

    Returns
    -------
    dict
        What ``survey`` gives, without the cases that have a fault; those are in ``skipped``.

    Raises
    ------
    DataError
        As ``survey``, of the cases that are left.
    """
    subsets = find_subsets(data, model)
    cases = [case for subset in subsets for case in subset.cases]
    found = {fault.key: fault for fault in faults}
    for n, case in enumerate(cases):
        if key_of(case) in tried:
            continue
        job.check()
        job.report(n, len(cases), f"case {n + 1} / {len(cases)}")
        job.partial(Tried(key_of(case), case.case))
        fault = fault_of(model, case)
        job.partial(Tried(key_of(case), case.case, is_over=True, fault=fault))
        if fault is not None:
            found[fault.key] = fault
    left = [case for case in cases if key_of(case) not in found]
    skipped = [(one.case, one.what) for subset in subsets for one in subset.skipped]
    faulty = [(one.case, one.text) for one in found.values()]
    return told_of(model, left, [*faulty, *skipped], init)


def key_of(case: TrainCase) -> str:
    """What tells a case from all others: names are of their own in a set only."""
    return f"{case.subset}/{case.case}"


def fault_of(model: str, case: TrainCase) -> Fault | None:
    """What is wrong with a case; None when all of its files can be read and fit."""
    key = key_of(case)
    reads = READS.get(model.removesuffix(ARMED), _other_files)
    for path, still, read in reads(case):
        try:
            read()
        except Cancelled:
            raise
        except MedviewError as error:
            return Fault(key, case.case, error.what, error.file or path.name, still, error.do)
        # A decoder may raise anything on a damaged file; the next case must be read all the same.
        except Exception as error:
            what = f"it cannot be read ({type(error).__name__})"
            return Fault(key, case.case, what, path.name, still, TAKE_OUT)
    return None


Reading = tuple[Path, str, Callable[[], object]]
_IMAGE_WORKS = "The image itself can be read"


def _brain(case: TrainCase) -> Sequence[Reading]:
    """The volume, read once, then what lies on its grid."""
    volume = cache(lambda: read_image(case.image, case.pixel_mm))
    steps: list[Reading] = [(case.image, "", lambda: refusals.refuse_unfit(volume()))]
    if case.brain is not None:
        steps.append((case.brain, _IMAGE_WORKS, lambda: brain_of(case, volume())))
    if (mask := case.mask) is not None:
        steps.append((mask, _IMAGE_WORKS, lambda: values_on(mask, volume())))
    return steps


def _film(case: TrainCase) -> Sequence[Reading]:
    return [(case.image, "", lambda: film.refuse_unfit(read_image(case.image, case.pixel_mm)))]


def _other_files(case: TrainCase) -> Sequence[Reading]:
    """Tables were read when the cases were counted; a film beside them was not."""
    path = case.images.get("film")
    if path is None:
        return []
    return [(path, "Its table can be read", lambda: film.refuse_unfit(read_image(path)))]


READS: dict[str, Callable[[TrainCase], Sequence[Reading]]] = {
    "anomaly": _brain,
    "region-net": _brain,
    "cxr": _film,
    "lung-net": _film,
}
"""How a case of each model is read; of the others only films beside their tables are."""
