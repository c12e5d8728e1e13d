"""Weights that have learnt nothing, with a card, for tests of everything around them."""

from __future__ import annotations

from pathlib import Path

import torch

from medview.domain.card import InputSpec, ModelCard, OutputSpec
from medview.io.cards import WEIGHTS
from medview.learning.patients import patient_hash
from medview.learning.weights import save
from medview.models.anomaly_vae import AnomalyVae, VaeOptions


def write_weights(folder: Path, *, seen: tuple[str, ...] = ()) -> Path:
    """Write random weights of the anomaly model that claim to have seen some patients.

    Attention is left out: it costs most of the time and none of these tests is about it.
    """
    torch.manual_seed(0)
    card = ModelCard(
        id="anomaly",
        version="0.0",
        title="untrained",
        summary="random weights",
        inputs=(InputSpec("t1", "T1 volume"),),
        outputs=(OutputSpec("anomaly", "score"),),
        preparation=(),
        intended_use="tests",
        limits=("knows nothing",),
        licence="none",
        source="none",
        settings={"network": {"attention": False}, "normal_scores": [0.0, 1.0]},
        seen_patients=tuple(patient_hash(name) for name in seen),
    )
    save(AnomalyVae(VaeOptions(attention=False)).eval(), card, folder)
    return folder / WEIGHTS
