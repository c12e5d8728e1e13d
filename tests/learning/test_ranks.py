"""Training in two processes over 127.0.0.1 is the training in one."""

import csv
import multiprocessing
import os
from importlib import import_module

import numpy as np
import pytest
import torch
from torch import nn

from medview.domain.errors import UsageError
from medview.domain.progress import Silent
from medview.learning import anomaly_trainer
from medview.learning.anomaly_recipe import Recipe
from medview.learning.anomaly_trainer import Trainer
from medview.learning.augment import Brain
from medview.learning.brain_age_recipe import TrainOptions
from medview.learning.checkpoint import write_history
from medview.learning.cxr_fit import fit_method
from medview.learning.cxr_given import Given
from medview.learning.cxr_recipe import ALL, CxrRecipe
from medview.learning.film_set import FilmSet
from medview.learning.icu_fit import Fit, StaySet
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.mavae_batches import Member
from medview.learning.mavae_ranks import Deal
from medview.learning.mavae_trainer import MavaeTrainer
from medview.learning.ranks import Ranks, WholeBatchNorm, refuse_several
from medview.learning.subset import TrainCase
from medview.models.anomaly_vae import VaeOptions
from medview.models.backbones import Backbone
from medview.models.mavae import LossWeights, MavaeOptions

RECIPE = Recipe(
    epochs=1, steps=2, batch=3, plain=0.0, val_slices=2, bfloat16=False, clip=0.1,
    network=VaeOptions(attention=False),
)  # fmt: skip


def brain(seed, patient):
    values = torch.rand((8, 40, 36), generator=torch.Generator().manual_seed(seed)).numpy()
    mask = values > 0.1
    return Brain.of(patient, values * mask, mask, (4.0, 3.0, 3.0))


def in_double(function):
    """Batches as double; made in single, as the augmentation wants it."""

    def made(*given):
        as_is = torch.Tensor.float
        torch.Tensor.float = SINGLE
        torch.set_default_dtype(torch.float32)
        found = function(*given)
        torch.set_default_dtype(torch.float64)
        torch.Tensor.float = as_is
        return tuple(each.to(torch.float64) for each in found)

    return made


SINGLE = torch.Tensor.float


def all_double():
    """From now on in double precision.

    In single precision Adam's first steps take the sign of gradients that are nothing but
    rounding, and two runs of the same method part by more than 1e-5.
    """
    torch.set_default_dtype(torch.float64)
    torch.Tensor.float = torch.Tensor.double


def anomaly(folder):
    """Train the anomaly model; its weights where this process leads."""
    brains, held = (brain(0, "a"), brain(1, "b")), (brain(9, "v"),)
    for name in ("batch_of", "cut"):
        setattr(anomaly_trainer, name, in_double(getattr(anomaly_trainer, name)))
    all_double()
    run = Trainer(RECIPE, brains, held, 0, "cpu", folder, Ranks.here())
    for _ in run.fit():
        pass
    return run.model.state_dict() if run.ranks.leads else None


def chest(folder):
    """Train the chest model on made-up features: two tasks, dropout in both heads."""
    all_double()
    rng = np.random.default_rng(0)
    count, features = 20, 16
    cases = tuple(TrainCase(f"c{n}", f"p{n}", {}, "film") for n in range(count))
    shares = np.ones((count, 1, 6, 2, 2), np.float16)
    films = FilmSet(cases, np.zeros((count, 1, 8, 8), np.uint8), shares,
                    np.zeros((count, 1), bool), np.ones(count, bool))  # fmt: skip
    zones = torch.from_numpy(rng.uniform(0, 3, (count, 6)))
    zones[: count // 2] = float("nan")
    outcome = torch.tensor([float(n % 2) if n < 14 else float("nan") for n in range(count)])
    labels = {"prognosis": outcome, "zones": zones}
    backbone = Backbone("made-up", nn.Sequential(), features, (0.5,) * 3, (0.2,) * 3)
    pooled = torch.from_numpy(rng.normal(size=(count, 1, 7, features)))
    given = Given(films, backbone, ALL, labels, labels, pooled=pooled)
    recipe = CxrRecipe(epochs=3, steps=2, batch=6, warmup=0, adapter=8)
    parts = np.arange(16), np.arange(16, 20)
    ranks = Ranks.here()
    fitted = fit_method(Silent(), recipe, given, parts, 0, folder=folder, ranks=ranks)
    return fitted.model.state_dict() if ranks.leads else None


def icu(folder, **changes):
    """Train the ICU series network on made-up stays; their last batch has a single stay."""
    all_double()
    dice = torch.Generator().manual_seed(0)
    series = torch.randn(11, 8, 6, generator=dice)
    lengths = torch.tensor([8, 7, 8, 3, 8, 8, 5, 8, 8, 6, 8])
    present = torch.tensor([[True, False]]).repeat(11, 1)
    labels = (torch.rand(11, 2, generator=dice) < 0.5).double()
    labels[3, 1] = float("nan")
    small = {"hidden": 8, "width": 8, "heads": 2, "feed_forward": 8, "epochs": 2, "batch": 5}
    recipe = IcuRecipe(**{**small, **changes})
    ranks = Ranks.here()
    fit = Fit(recipe, StaySet(series, lengths, present, labels), None, 0, ranks)
    rows = [
        (epoch, part, name, value)
        for epoch in (1, 2)
        for (part, name), value in fit.epoch(lambda: None).items()
    ]
    if not ranks.leads:
        return None
    write_history(folder / "history.csv", rows)
    return fit.net.state_dict()


def icu_hourly(folder):
    """The same where the encoder sees single hours, and absent tokens are masked."""
    return icu(folder, encoder="hourly", missing="mask", blocks=2)


def ages(folder):
    """Train three M-AVAEs, dealt two and one: dropout, missing modalities, a best epoch."""
    rng = np.random.default_rng(3)
    age = rng.normal(0, 1, 30).astype(np.float32)
    x = {
        role: rng.normal(0, 1, (30, n)).astype(np.float32) for role, n in (("smri", 6), ("fmri", 5))
    }
    present = {"smri": np.ones(30, bool), "fmri": np.arange(30) % 3 > 0}
    own = [np.arange(30) % 3 == k for k in range(3)]
    members = tuple(Member(x, age, np.flatnonzero(~one), np.flatnonzero(one)) for one in own)
    network = MavaeOptions(6, 5, (12, 8), 6, 3, age_head=(8,), sex_head=(8,), dropout=0.3)
    options = TrainOptions(epochs=4, batch=8, health_every=2, patience=9)
    sex = (np.arange(30) % 2).astype(np.float32)
    ranks = Ranks.here()
    given = (network, LossWeights(), options, members, present, sex, 0, folder)
    first = MavaeTrainer(*given, ranks)
    for report in first.fit():
        if report.epoch == 2:
            first.keep()
            break
    run = MavaeTrainer(*given, ranks)  # the rest after an interruption
    if ranks.world > 1:
        torch.distributed.barrier()  # until the first one has written
    run.resume(folder)
    for _ in run.fit():
        pass
    nets = run.networks()
    kept = {f"{n}.{name}": v for n, net in enumerate(nets) for name, v in net.state_dict().items()}
    return kept if ranks.leads else None


def work(train_one, folder, env):
    """Train in a process of its own."""
    os.environ |= env
    torch.set_num_threads(1)
    state = train_one(folder)
    if state is not None:
        torch.save(state, folder / "state.pt")


def told(folder):
    with (folder / "history.csv").open(newline="") as file:
        return {(r["epoch"], r["part"], r["name"]): float(r["value"]) for r in csv.DictReader(file)}


@pytest.fixture(scope="module")
def loaded():
    """What the first optimiser of a process imports is there before the processes are forked."""
    import_module("torch._dynamo")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.usefixtures("narrow", "loaded")
@pytest.mark.parametrize("train_one", [anomaly, ages, chest, icu, icu_hourly])
def test_two_processes_give_the_curve_and_weights_of_one(train_one, tmp_path):
    # The processes meet at a port that is held from here: one that was free may not stay so.
    meeting = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    common = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(meeting.port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "WORLD_SIZE": "2",
        "GLOO_SOCKET_IFNAME": "lo",
    }
    # By fork: a new Python would take most of the time to import torch.
    fork = multiprocessing.get_context("fork")
    runs = [("one", {})] + [("two", {**common, "RANK": str(rank)}) for rank in (0, 1)]
    processes = []
    for name, env in runs:
        (tmp_path / name).mkdir(exist_ok=True)
        processes.append(fork.Process(target=work, args=(train_one, tmp_path / name, env)))
        processes[-1].start()
    for process in processes:
        process.join(600)
        assert process.exitcode == 0
    first, second = told(tmp_path / "one"), told(tmp_path / "two")
    assert first.keys() == second.keys()
    assert ("1", "train", "loss") in first
    for key, value in first.items():
        assert second[key] == pytest.approx(value, rel=1e-5, abs=1e-9, nan_ok=True), key
    states = [torch.load(tmp_path / name / "state.pt") for name in ("one", "two")]
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        assert torch.allclose(states[1][name].double(), value.double(), atol=1e-5), name


def test_alone_nothing_changes():
    ranks = Ranks.here()
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    assert ranks.spread(network) is network
    assert type(network[1]) is nn.BatchNorm2d
    assert ranks.leads
    assert list(range(5))[ranks.rows] == [0, 1, 2, 3, 4]
    assert ranks.mean({"loss": 2.0}) == {"loss": 2.0}


def test_there_are_no_more_processes_than_members():
    assert [list(range(5))[Deal(Ranks(rank, 2), 5).own] for rank in (0, 1)] == [[0, 2, 4], [1, 3]]
    with pytest.raises(UsageError, match="5 networks cannot be dealt to 6 processes"):
        Deal(Ranks(0, 6), 5)


def test_a_model_that_trains_alone_says_why(monkeypatch):
    refuse_several("brain-age-armed", "it is small")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="brain-age-armed trains in one process only: it is small"):
        refuse_several("brain-age-armed", "it is small")


def test_every_row_belongs_to_one_process():
    rows = [list(range(7))[Ranks(rank, 3).rows] for rank in range(3)]
    assert sorted(row for own in rows for row in own) == list(range(7))


def test_statistics_of_the_whole_batch_are_those_of_torch(monkeypatch):
    monkeypatch.setattr("medview.learning.ranks._over_all", lambda sums: sums)
    torch.manual_seed(0)
    plain = nn.BatchNorm2d(3)
    nn.init.normal_(plain.weight)
    whole = WholeBatchNorm.of(nn.BatchNorm2d(3))
    whole.load_state_dict(plain.state_dict())
    x = torch.randn(4, 3, 5, 6) * 3 + 1
    assert torch.allclose(plain(x), whole(x), atol=1e-5)
    for name, value in plain.state_dict().items():
        assert torch.allclose(whole.state_dict()[name].float(), value.float(), atol=1e-6), name
    assert torch.allclose(plain.eval()(x), whole.eval()(x))
