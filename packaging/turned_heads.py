"""How far the age moves when the header of a T1 volume is turned and its voxels are not.

    python packaging/turned_heads.py ../shared/data --set elderly-t1 [--card CARD]

Each head with region labels is turned by 10 and 20 degrees about the axis to left (pitch) and by
20 about those to posterior (roll) and to head (yaw), every second one the other way, and measured
twice: as shipped, turned back from 10 degrees on, and as its header says. Figures are mean
and largest difference in years from the same head as it came. With --card they are written there,
and what they tell as a limit.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from medview.domain.card import Figure, ModelCard
from medview.domain.volume import Volume
from medview.io.cards import read_card, write_card
from medview.learning.cases import find_subsets
from medview.learning.images import read_image
from medview.learning.region_grid import STEP_MM, Boxed, boxed, lying
from medview.learning.regions import RegionModel, class_shares, load_region_model
from medview.learning.upright import MOST_DEG

COMMAND = "python packaging/turned_heads.py ../shared/data --set {}"
AXES = ("pitch", "roll", "yaw")
TURNS = (("pitch", 10), ("pitch", 20), ("roll", 20), ("yaw", 20))
PREDICTORS = ("model", "as the header says")


def main() -> None:
    """Measure, print, and write on the card where one is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--set", required=True)
    parser.add_argument("--card", type=Path)
    given = parser.parse_args()
    subsets = [s for s in find_subsets((given.data,), "region-net") if s.name == given.set]
    files = [c.image for s in subsets for c in s.cases if c.brain_rule == "labels"]
    moved = defaultdict[tuple[str, str], list[float]](list)
    signs = [1 if number % 2 else -1 for number in range(len(files))]
    with ProcessPoolExecutor(2) as pool:
        for file, found in zip(files, pool.map(moves, files, signs), strict=True):
            for place, years in found:
                moved[place].append(years)
                print(f"{file.name} {' '.join(place)}: {years:+.1f} years", flush=True)
    figures = [
        Figure(name, value, given.set, n=len(years), predictor=who, group=f"turned:{turn}",
               command=COMMAND.format(given.set), level="case",
               extra={"task": "age", "n_patients": len(years)})
        for (who, turn), years in moved.items()
        for name, value in (
            ("age_moved", float(np.mean(np.abs(years)))),
            ("age_moved_most", float(np.max(np.abs(years)))),
        )
    ]  # fmt: skip
    for one in figures:
        print(f"{one.on} {one.predictor} {one.group} {one.name}: {one.value:.1f} years, n {one.n}")
    if given.card:
        write_card(with_turns(read_card(given.card), given.set, figures), given.card)


def with_turns(card: ModelCard, name: str, figures: Sequence[Figure]) -> ModelCard:
    """The card with these rows on a set, and a limit that says what they tell."""
    kept = [f for f in card.measured if f.command != COMMAND.format(name)]
    found = {(f.predictor, f.group.partition(":")[2], f.name): f.value or 0.0 for f in figures}

    def years(who: str, *turns: str) -> tuple[str, str]:
        """The mean over turns and the largest, as they are told."""
        mean = np.mean([found[who, turn, "age_moved"] for turn in turns])
        return f"{mean:.1f}", f"{max(found[who, turn, 'age_moved_most'] for turn in turns):.1f}"

    wide = [f"{axis} {angle}" for axis, angle in TURNS if angle > MOST_DEG]
    (ours, most), (plain, worst) = (years(who, *wide) for who in PREDICTORS)
    (slight, least) = years("model", "pitch 10")
    begins = f"A header that turns heads of {name} "
    seen = "(learnt from) " if any(each.set == name for each in card.trained_on) else ""
    line = (
        f"{begins}{seen}by 20 degrees moves their age by {ours} years on average, at most {most} "
        f"(were they not turned upright: {plain} and {worst}); a pitch of 10 degrees, which is "
        f"not always turned back, by {slight}, at most {least}."
    )
    limits = (*(each for each in card.limits if not each.startswith(begins)), line)
    return replace(card, measured=(*kept, *figures), limits=limits)


def moves(file: Path, sign: int) -> list[tuple[tuple[str, str], float]]:
    """(predictor, turn) and difference in years of one head, for all turns."""
    torch.set_num_threads(1)
    model, volume = load_region_model(), read_image(file)
    mask = lying(volume).mask
    start = dict(zip(PREDICTORS, _ages(model, volume, mask), strict=True))
    found = []
    for name, angle in TURNS:
        ages = _ages(model, turned(volume, AXES.index(name), sign * angle), mask)
        for who, age in zip(PREDICTORS, ages, strict=True):
            found.append(((who, f"{name} {angle}"), age - start[who]))
    return found


def _ages(model: RegionModel, volume: Volume, mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Ages as shipped and as the header says."""
    shipped = boxed(volume, mask)
    age = _age(model, shipped)
    return (age, _age(model, lying(volume, mask)) if shipped.pose.is_turned else age)


def _age(model: RegionModel, box: Boxed) -> float:
    ml = class_shares(model.network, box)[1:].double().sum(dim=(1, 2, 3)).numpy()
    return float(model.age.from_network(ml[None] * STEP_MM**3 / 1000)[0])


def turned(volume: Volume, axis: int, degrees: float) -> Volume:
    """A volume whose header is turned about its middle; its voxels stay."""
    one, other = ((1, 2), (2, 0), (0, 1))[axis]
    turn, angle = np.eye(3), np.deg2rad(degrees)
    turn[one, one] = turn[other, other] = np.cos(angle)
    turn[other, one], turn[one, other] = np.sin(angle), -np.sin(angle)
    geometry = volume.geometry
    affine = geometry.affine.copy()
    affine[:3] = turn @ affine[:3]
    affine[:3, 3] += geometry.centre_mm - turn @ geometry.centre_mm
    return replace(volume, geometry=replace(geometry, affine=affine))


if __name__ == "__main__":
    main()
