"""Data sets for training and evaluation: found by layout, read case by case.

To add a layout: write a recogniser and a loader (see `brain_sets`) and one line in ``LAYOUTS``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medview.domain.errors import DataError, UsageError
from medview.domain.volume import Volume
from medview.domain.wording import counted
from medview.imaging.reorder import reordered
from medview.learning import (
    brain_age_sets,
    brain_sets,
    case_list,
    chest_sets,
    icu_sets,
    region_sets,
    tumour_sets,
)
from medview.learning.brain import Prepared, prepare
from medview.learning.case_list import refuse_other_tables
from medview.learning.images import read_image
from medview.learning.patients import patient_hash
from medview.learning.subset import Layout, Subset, TrainCase
from medview.learning.upright_slices import Upright, cut_upright

ANOMALY = ("anomaly",)
HEADS = (*ANOMALY, "region-net")
"""What uses T1 volumes that come with region labels."""
ARMED = "-armed"
"""How the name of a model with site effects ends."""
ROLES = {"anomaly": ("t1", "t1ce")}
"""Which files of a case list a model takes, the better one first."""
DEEPEST = 5
"""How many folders below the given one are searched for known sets."""


def _t1_cases(path: Path) -> Subset:
    return case_list.load_case_list(path, ROLES["anomaly"])


LAYOUTS: tuple[Layout, ...] = (
    Layout("ixi-t1", HEADS, brain_sets.is_ixi_t1, brain_sets.load_ixi_t1),
    Layout("elderly-t1", HEADS, brain_sets.is_elderly_t1, brain_sets.load_elderly_t1),
    Layout("mni152", ANOMALY, brain_sets.is_mni152, brain_sets.load_mni152),
    Layout("brats2020", ANOMALY, tumour_sets.is_brats2020, tumour_sets.load_brats2020),
    Layout(
        "brats2013-slices",
        ANOMALY,
        tumour_sets.is_brats2013_slices,
        tumour_sets.load_brats2013_slices,
    ),
    Layout(
        "tumour-volumes", ANOMALY, tumour_sets.is_tumour_volumes, tumour_sets.load_tumour_volumes
    ),
    Layout("cheng-t1ce", ANOMALY, tumour_sets.is_cheng_t1ce, tumour_sets.load_cheng_t1ce),
    Layout("cases", ANOMALY, case_list.is_case_list, _t1_cases),
    *brain_age_sets.LAYOUTS,
    *chest_sets.LAYOUTS,
    *icu_sets.LAYOUTS,
    *region_sets.LAYOUTS,
)
# Any folder of images would answer to this one: taken only when nothing else is found.
FOLDER = Layout("folder", ANOMALY, brain_sets.is_folder, brain_sets.load_folder)


def find_subsets(specs: Iterable[str], model: str, held_out: Iterable[str] = ()) -> list[Subset]:
    """Find the known sets under each ``[LAYOUT=]PATH``.

    A folder that holds several known sets stands for all that `model` can use. Names are made
    unique, and every case carries the name and licence of its subset. Cases of the patients
    whose hashes are `held_out` are marked for validation.

    Raises
    ------
    UsageError
        For an unknown model, or a layout that the model does not know.
    DataError
        If a path does not exist, nothing known is found there, or a patient is both in the
        training and in the validation or test part.
    """
    if not layouts_for(model):
        raise UsageError(
            f"there is no model called {model} that learns from data",
            do='"medview models" lists those there are.',
        )
    found: list[Subset] = []
    for spec in specs:
        layout, path = _split_spec(spec, model)
        found += _subsets_at(path, layout, model)
    subsets = _marked(named_apart(found), set(held_out))
    refuse_leaks(case for subset in subsets for case in subset.cases)
    return subsets


def holds(path: Path, model: str) -> bool:
    """Whether there is a known set for a model at a path or below it; none is read."""
    known = [one for one in layouts_for(model) if one is not FOLDER]
    return any(one.is_here(here) for here in _places(path) for one in known)


def heads_under(spec: str) -> list[Subset]:
    """The sets of T1 volumes, as of IXI, under a ``[LAYOUT=]PATH``; those of case lists are not.

    Raises
    ------
    DataError
        A table beside the volumes that cannot be read.
    """
    known = {one.name: one for one in LAYOUTS if one.models is HEADS}
    name, _, rest = spec.partition("=")
    wanted, path = ([known[name]], rest) if name in known and rest else (known.values(), spec)
    places = list(_places(Path(path)))
    found = [one.load(here) for one in wanted for here in places if one.is_here(here)]
    return [subset for subset in found if subset.cases]


def _marked(subsets: list[Subset], held_out: set[str]) -> list[Subset]:
    if not held_out:
        return subsets
    return [
        replace(
            subset,
            cases=tuple(
                replace(case, split="val") if patient_hash(case.patient) in held_out else case
                for case in subset.cases
            ),
        )
        for subset in subsets
    ]


def layouts_for(model: str) -> tuple[Layout, ...]:
    """The layouts that a model can use, in the order they are tried.

    A model with site effects uses those of the model that it wraps.
    """
    base = model.removesuffix(ARMED)
    return tuple(layout for layout in (*LAYOUTS, FOLDER) if base in layout.models)


def _split_spec(spec: str, model: str) -> tuple[Layout | None, Path]:
    name, equals, rest = spec.partition("=")
    known = {layout.name: layout for layout in layouts_for(model)}
    layout = known.get(name) if equals else None
    path = rest if layout is not None else spec
    if not path:
        raise UsageError("the path after --data is empty", do='Give it as "[LAYOUT=]PATH".')
    if layout is None and equals and not Path(path).exists():
        raise UsageError(
            f'"{name}" is no layout of data that {model} can use',
            do=f"Known layouts: {', '.join(known)}.",
        )
    return layout, Path(path)


def _subsets_at(path: Path, layout: Layout | None, model: str) -> list[Subset]:
    if not path.exists():
        raise DataError("does not exist", file=path.name, do="Check the path.")
    wanted = [layout] if layout else list(layouts_for(model))
    known = [one for one in wanted if one is not FOLDER]
    places = list(_places(path))
    found = [one.load(here) for one in known for here in places if one.is_here(here)]
    if not found and FOLDER in wanted and path.is_dir() and FOLDER.is_here(path):
        found = [FOLDER.load(path)]
    found = [subset for subset in found if subset.cases or subset.skipped]
    if not found:
        refuse_other_tables(path)
        what = f"no {layout.name} set" if layout else f"no data set that {model} can use"
        raise DataError(
            f"{what} was found there",
            file=path.name,
            do=f"Give another path, or name its layout: {', '.join(one.name for one in wanted)}.",
        )
    return found


def _places(path: Path, depth: int = 0) -> Iterator[Path]:
    """The path itself, then the folders below it."""
    yield path
    if depth < DEEPEST and path.is_dir():
        for below in sorted(path.iterdir()):
            if below.is_dir() and not below.name.startswith("."):
                yield from _places(below, depth + 1)


def named_apart(subsets: Sequence[Subset]) -> list[Subset]:
    """The same with a name of its own for each, which its cases carry with its licence."""
    seen: dict[str, int] = {}
    named = []
    for subset in subsets:
        seen[subset.name] = count = seen.get(subset.name, 0) + 1
        name = subset.name if count == 1 else f"{subset.name}-{count}"
        cases = tuple(
            replace(case, subset=name, licence=case.licence or subset.licence)
            for case in subset.cases
        )
        named.append(replace(subset, name=name, cases=cases))
    return named


def refuse_leaks(cases: Iterable[TrainCase]) -> None:
    """Refuse a patient who is in the training part and in another one.

    A case of which no part is told is trained on.

    Raises
    ------
    DataError
        Naming the first such patients.
    """
    parts: dict[str, set[str]] = {}
    for case in cases:
        parts.setdefault(case.patient, set()).add(case.split or "train")
    leaked = sorted(patient for patient, here in parts.items() if "train" in here and len(here) > 1)
    if leaked:
        raise DataError(
            f"{counted(len(leaked), 'patient')} in the training part and in another part, too",
            code="MV-DAT-110",
            file=", ".join(leaked[:5]),
            do="Put all cases of a patient into one part; a case without a part is trained on.",
        )


@dataclass(frozen=True, slots=True, eq=False)
class PreparedCase:
    """A case as the model sees it.

    `truth` is the lesion on the model slices (n, 128, 128), None where it is not known; for a
    case with a box it is the box. `known` (n,) are the slices of which the truth says something,
    None where it does of all. `own` (n,) are the slices of the file that slices cut upright lie
    at, None where the model slices are those of the file.
    """

    case: TrainCase
    prepared: Prepared
    truth: NDArray[np.bool_] | None = None
    known: NDArray[np.bool_] | None = None
    own: NDArray[np.intp] | None = None

    def number_of(self, height: int) -> int:
        """Index along the volume's own axis of a model slice, or of the one that it lies at."""
        return self.prepared.grid.index_of(height) if self.own is None else int(self.own[height])


def prepare_case(case: TrainCase, *, upright: bool = False) -> PreparedCase:
    """Read a case and turn it into model slices; `upright` cuts a head that lies turned upright.

    Raises
    ------
    ReadError
        If a file cannot be read.
    ModelInputError
        If the image does not fit the model.
    DataError
        If a mask has another grid than its image.
    """
    volume = read_image(case.image, case.pixel_mm)
    prepared = prepare(volume, brain_of(case, volume))
    turned = cut_upright(volume, prepared) if upright and case.box is None else None
    if case.mask is None:
        shown, own = (turned.prepared, own_slices(turned, prepared)) if turned else (prepared, None)
        return PreparedCase(case, shown, _truth_of(case, volume, shown), own=own)
    values = values_on(case.mask, volume)
    lesion = (values >= case.mask_from).astype(np.float32)
    told = np.asarray((prepared.grid.from_volume(values) >= 0).any(axis=(1, 2)), dtype=np.bool_)
    if turned is not None and told.all():
        truth = turned.prepared.on_model(turned.taken(lesion))
        own = own_slices(turned, prepared)
        return PreparedCase(case, turned.prepared, truth > 0.5, own=own)
    known = None if told.all() else told
    return PreparedCase(case, prepared, prepared.on_model(lesion) > 0.5, known)


def own_slices(turned: Upright, lying: Prepared) -> NDArray[np.intp]:
    """Of each upright slice the slice of the file that it crosses in the middle of the brain.

    Both lie equally far apart, so no two upright slices have one number.
    """
    middle = np.argwhere(turned.prepared.brain).mean(axis=0)
    place = lying.grid.stack(turned.source).to_index(turned.stack.to_mm(middle))
    shift = int(np.rint(place[0] - middle[0]))
    heights = np.arange(len(turned.prepared.slices)) + shift
    return np.array([lying.grid.index_of(int(height)) for height in heights], dtype=np.intp)


def brain_of(case: TrainCase, volume: Volume) -> NDArray[np.bool_] | None:
    """The brain on the volume's own grid (k, j, i), or None where the case does not tell it."""
    if case.brain_rule == "positive":
        return np.asarray(np.asarray(volume.array, dtype=np.float32) > 0)
    if case.brain is None:
        return None
    inside = values_on(case.brain, volume) > 0
    if case.brain_rule == "mask":
        return inside
    # The labels leave the fluid between gyri out.
    closed = ndimage.binary_closing(np.pad(inside, 3), iterations=2)[3:-3, 3:-3, 3:-3]
    return np.asarray(ndimage.binary_fill_holes(closed), dtype=np.bool_)


def _truth_of(case: TrainCase, volume: Volume, prepared: Prepared) -> NDArray[np.bool_] | None:
    if case.box is not None:
        lesion = _box_mask(case.box, volume.geometry.shape)
    elif case.label == 0:
        return np.zeros(prepared.slices.shape, dtype=np.bool_)
    else:
        return None
    return np.asarray(prepared.on_model(lesion.astype(np.float32)) > 0.5)


def values_on(path: Path, volume: Volume) -> NDArray[np.float32]:
    """Values of a mask or label file (k, j, i), which must have the voxels of the image.

    They may be in another order of axes, as other programs write them. Slices of a mask with
    values below 0 are those of which nobody has said anything.

    Raises
    ------
    ReadError
        If it cannot be read.
    DataError
        If it has other voxels.
    """
    found = read_image(path)
    tolerance_mm = 0.5 * min(volume.geometry.spacing_mm)
    values = reordered(found.array, found.geometry, volume.geometry, tolerance_mm=tolerance_mm)
    if values is None:
        raise DataError(
            "the mask lies on another grid than its image",
            file=path.name,
            code="MV-DAT-120",
            do="Resample the mask onto the image.",
        )
    return values.astype(np.float32)


def _box_mask(
    box: tuple[float, float, float, float], shape: tuple[int, int, int]
) -> NDArray[np.bool_]:
    """The box as a mask (k, j, i), the same on every slice."""
    column, row, width, height = box
    rows = (np.arange(shape[1]) + 0.5) / shape[1]
    columns = (np.arange(shape[2]) + 0.5) / shape[2]
    inside = np.outer(abs(rows - row) <= height / 2, abs(columns - column) <= width / 2)
    return np.repeat(inside[None], shape[0], axis=0)
