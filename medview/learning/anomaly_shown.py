"""Left-out brains as networks are compared on them: what is shown, and how answers are scored."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from medview.domain.ablation import Scored
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_scores import Drawn, rimless
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.attention_mass import attention_mass, band, lift
from medview.learning.lesions import draw_lesion
from medview.learning.metrics import pr_auc
from medview.learning.normal_cases import NormalCase
from medview.learning.scoring import protocol_rows, slices_of
from medview.learning.subset import TrainCase

TASK = "synthetic lesions"
ATTENTION_TASK = "attention of the encoder at the rim of synthetic lesions"
FULL = 5
"""The draws of the default, with which a single pass is compared."""
AGREEMENT_TASK = f"epistemic part against {FULL} draws"


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A left-out brain as it was shown: its compared slices, half of them with a lesion.

    `plain` are the same slices without any.
    """

    case: TrainCase
    plain: NDArray[np.float32]
    pictures: NDArray[np.float32]
    brain: NDArray[np.bool_]
    truth: NDArray[np.bool_]


def show(case: NormalCase, seed: int) -> Shown:
    """The compared slices of a brain, a random half of them with a lesion each."""
    prepared = case.prepared.prepared
    whole = slices_of(prepared)
    kept = whole.take(protocol_rows(whole))
    rng = np.random.default_rng([seed, zlib.crc32(case.case.case.encode())])
    pictures, truth = kept.pictures.copy(), np.zeros(kept.brain.shape, np.bool_)
    for n in np.sort(rng.permutation(len(kept))[: len(kept) // 2]):
        lesion = draw_lesion(kept.brain[n], rng)
        if lesion is not None:
            pictures[n] = lesion.paste(pictures[n], kept.brain[n])
            truth[n] = lesion.truth & kept.brain[n]
    return Shown(case.case, kept.pictures, pictures, kept.brain, truth)


def scored(shown: Shown, drawn: Drawn, settings: AnomalySettings) -> tuple[Scored, ...]:
    """Slice scores with their labels, and the pixel average precision of the brain."""
    maps = drawn.slice_maps(settings)
    ill = np.asarray(shown.truth.any(axis=(1, 2)), dtype=np.bool_)
    inner = rimless(shown.brain)[ill]
    found = pr_auc(shown.truth[ill][inner], maps.score(settings.rule)[ill][inner].astype(float))
    per_slice = drawn.slice_scores(settings)
    case, patient, subset = shown.case.case, shown.case.patient, shown.case.subset
    names = tuple(f"{case}:{n}" for n in range(len(ill)))
    labels, values = tuple(ill.astype(float)), tuple(per_slice.astype(float))
    patients = (patient,) * len(ill)
    return (
        Scored(TASK, ("roc_auc", "pr_auc"), names, patients, labels, values, "all", "slice"),
        Scored(TASK, ("pixel_precision",), (case,), (patient,), (0.0,), (found,), subset, "pixel"),
    )


def agreement(
    shown: Sequence[Shown], guessed: Sequence[Drawn], several: Sequence[Drawn]
) -> list[Scored]:
    """How alike a guessed epistemic part and that of several draws order the pixels of a brain."""
    found = []
    for one, guess, drawn in zip(shown, guessed, several, strict=True):
        inner = rimless(one.brain)
        pair = [each.pictures.var(0)[inner] for each in (guess, drawn)]
        alike = float(stats.spearmanr(*pair).statistic)
        value = alike if np.isfinite(alike) else 0.0
        told = _of_brain(AGREEMENT_TASK, "rank_correlation", one.case, value)
        found.append(replace(told, subset="all"))
    return found


def looked(engine: Engine, shown: Sequence[Shown]) -> tuple[Scored, ...]:
    """How much attention the rim of a lesion gets: for its area, and against no lesion there."""
    lifts, gains = list[Scored](), list[Scored]()
    for one in shown:
        ill = np.asarray(one.truth.any(axis=(1, 2)), dtype=np.bool_)
        brain, rim = one.brain[ill], band(one.truth[ill])
        sick, plain = (
            float(np.nanmean(lift(attention_mass(engine.model, these[ill], brain), rim, brain)))
            for these in (one.pictures, one.plain)
        )
        for name, value, into in (
            ("attention_lift", sick, lifts),
            ("attention_gain", sick / plain, gains),
        ):
            into.append(_of_brain(ATTENTION_TASK, name, one.case, value))
    return joined(lifts) + joined(gains)


def _of_brain(task: str, name: str, case: TrainCase, value: float) -> Scored:
    return Scored(
        task, (name,), (case.case,), (case.patient,), (0.0,), (value,), case.subset, "pixel"
    )


def joined(parts: Sequence[Scored]) -> tuple[Scored, ...]:
    """The brains of one run as one, by subset and level."""
    found: dict[tuple[str, str], Scored] = {}
    for one in parts:
        before = found.get((one.subset, one.level))
        if before is not None:
            both = {
                name: getattr(before, name) + getattr(one, name)
                for name in ("cases", "patients", "truth", "score")
            }
            one = replace(before, **both)
        found[one.subset, one.level] = one
    return tuple(found.values())
