"""What tests of trainings share."""

import copy
import functools
import hashlib

import numpy as np
import pytest
import torch
from armed_ages import age_cases, train_ages
from armed_stays import train_stays

from medview.learning import (
    brain,
    calibrate,
    checkpoint,
    cxr_evidence,
    film,
    region_grid,
    solid,
    tilt,
    upright,
)
from medview.models import anomaly_vae

_FOUND = {}
"""What was found in this process, by the bytes of the picture."""


def found_once(find):
    """`find`, asked once about the same picture; the tests have few and train on them often."""

    @functools.wraps(find)
    def found(picture, *more):
        digest = hashlib.sha256(np.ascontiguousarray(picture)).digest()
        key = (find.__name__, picture.shape, picture.dtype, digest, *more)
        if key not in _FOUND:
            _FOUND[key] = find(picture, *more)
        return copy.deepcopy(_FOUND[key])

    return found


@pytest.fixture(autouse=True, scope="module")
def _quick():
    """Brains, lungs and how a head lies are found once: the files have the same few pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(brain, "find_brain", found_once(brain.find_brain))
        patch.setattr(film, "lung_mask", found_once(film.lung_mask))
        for asking in (region_grid, tilt):
            patch.setattr(asking, "pose_of", found_once(upright.pose_of))
        yield


@pytest.fixture
def every_epoch(monkeypatch):
    """The checkpoint is written after every epoch, however short."""
    monkeypatch.setattr(checkpoint, "KEEP_S", 0.0)


@pytest.fixture(scope="module")
def narrow():
    """The anomaly model is narrow: its trainings and runs do not know how wide it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anomaly_vae, "WIDTHS", (8, 8, 16, 16))
        yield


@pytest.fixture
def seeded():
    """Neither the dice nor the number of threads stay as a test has left them."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def armed_weights(tmp_path_factory):
    """The folder of a small training with site effects."""
    folder = tmp_path_factory.mktemp("armed")
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        train_ages(age_cases(folder / "data"), folder / "out")
    torch.set_num_threads(threads)
    return folder / "out"


@pytest.fixture(scope="session")
def armed_icu(tmp_path_factory):
    """Weights of a small ICU model with effects of sites, measured in every way."""
    place = tmp_path_factory.mktemp("armed-icu")
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDVIEW_HOME", str(place / "home"))
        weights = train_stays(place, "folds=2", "leave_sites=true", "compare=true")
    torch.set_num_threads(threads)
    return weights


@pytest.fixture(scope="module")
def quick_evidence():
    """What maps hang on is measured on one film in few steps: else it outlasts the training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cxr_evidence, "FILMS", 1)
        patch.setattr(cxr_evidence, "WINDOW", 2)
        patch.setattr(cxr_evidence, "STEPS", 4)
        yield


@pytest.fixture(scope="module")
def few_choices():
    """A calibration has few settings to choose between."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibrate, "SMOOTHINGS", (1.0, 3.0))
        patch.setattr(calibrate, "QUANTILES", (0.0, 0.95))
        patch.setattr(calibrate, "WIDES", (0.0, 16.0))
        patch.setattr(solid, "VOLUME_MM", (0.0, 4.5))
        yield
