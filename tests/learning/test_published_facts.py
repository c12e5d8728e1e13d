"""Numbers of the papers and of their authors' programs, written down once more."""

import numpy as np
import pytest

from medview.learning import anomaly_card, brain_age_card, cxr_card, icu_card
from medview.learning.icu_grid import Events, Normaliser, discretise, encode
from medview.learning.icu_phenotypes import phenotypes
from medview.learning.icu_variables import shipped_map
from medview.models.anomaly_vae import LATENT, LOG_VARIANCE_LIMIT, SIDE, WIDTHS, VaeOptions
from medview.models.backbones import NAMES
from medview.models.fusion import FusionOptions
from medview.models.mavae import MavaeOptions

# Column of the 76, what is imputed, and mean and spread of the authors' statistics.
NUMBERS = {
    "Diastolic blood pressure": (2, 59, 61.7375, 221.8965),
    "Fraction inspired oxygen": (3, 0.21, 0.2942, 0.1715),
    "Glucose": (49, 128, 140.387, 1766.74),
    "Heart Rate": (50, 86, 85.5385, 57.1169),
    "Height": (51, 170, 169.8035, 6.2226),
    "Mean blood pressure": (52, 77, 79.5964, 148.53),
    "Oxygen saturation": (53, 98, 104.98, 5135.24),
    "Respiratory rate": (54, 19, 19.868, 7.3213),
    "Systolic blood pressure": (55, 118, 122.398, 141.40),
    "Temperature": (56, 36.6, 36.944, 5.278),
    "Weight": (57, 81, 83.762, 27.233),
    "pH": (58, 7.4, 7.2073, 1.6568),
}
FLAGS = (
    "Capillary refill rate", "Diastolic blood pressure", "Fraction inspired oxygen",
    "Glascow coma scale eye opening", "Glascow coma scale motor response",
    "Glascow coma scale total", "Glascow coma scale verbal response", "Glucose", "Heart Rate",
    "Height", "Mean blood pressure", "Oxygen saturation", "Respiratory rate",
    "Systolic blood pressure", "Temperature", "Weight", "pH",
)  # fmt: skip
KINDS = "aaamccammcmcccaacmaaaaaaa"
"""Acute, mixed or chronic: the 25 phenotypes in the order of their columns."""


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_of_the_benchmark_has_its_column_its_start_and_its_statistics(name):
    column, impute, mean, sd = NUMBERS[name]
    bench = shipped_map("benchmark")
    never = discretise(Events.of([]), bench, 1)
    row = encode(never, bench, Normaliser.shipped(bench))[0]
    assert row[column] == pytest.approx((impute - mean) / sd, abs=1e-5)


def test_the_flags_of_the_benchmark_stand_last_in_the_order_of_the_variables():
    bench = shipped_map("benchmark")
    assert tuple(variable.name for variable in bench.variables) == FLAGS
    for place in range(len(FLAGS)):
        level = 0.0 if bench.variables[place].levels else 50.0
        seen = discretise(Events.of([(0.5, place, level)]), bench, 1)
        row = encode(seen, bench, Normaliser.shipped(bench))[0]
        assert np.flatnonzero(row[59:]).tolist() == [place]


def test_phenotypes_are_acute_mixed_or_chronic_as_published():
    assert "".join(one.kind[0] for one in phenotypes()) == KINDS


def test_the_networks_have_the_published_sizes_where_nothing_else_is_asked():
    fusion, mavae, vae = FusionOptions(), MavaeOptions(), VaeOptions()
    assert (fusion.columns, fusion.hidden, fusion.width, fusion.heads) == (76, 256, 256, 8)
    assert (fusion.feed_forward, fusion.blocks, fusion.film) == (1024, 2, "resnet34")
    assert (fusion.series_dropout, fusion.dropout, fusion.missing) == (0.3, 0.1, "zero")
    assert (mavae.smri, mavae.fmri, mavae.hidden, mavae.code) == (800, 800, (500, 200, 120), 60)
    assert (mavae.age_head, mavae.sex_head, mavae.predictor) == ((360, 150), (120, 100), "all")
    assert (SIDE, WIDTHS, LATENT, vae.heads) == (128, (32, 64, 128, 256), 256, 8)
    assert LOG_VARIANCE_LIMIT == 20


def test_the_eighteen_backbones_can_be_named():
    assert set(NAMES) == {
        "densenet121", "densenet161", "densenet169", "densenet201", "googlenet", "mobilenet_v2",
        "resnet18", "resnet34", "resnet50", "resnet101", "wide_resnet50_2", "shufflenet_v2_x0_5",
        "shufflenet_v2_x1_0", "efficientnet_b0", "efficientnet_b1_pruned", "efficientnet_es",
        "efficientnet_es_pruned", "efficientnet_lite0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("card", "values"),
    [
        (anomaly_card, [0.834, 0.833, 0.795, 0.801, 0.790]),
        (brain_age_card, [2.77, 3.18, 0.82, 3.15]),
        (cxr_card, [0.686, 0.666, 0.685]),
        (icu_card, [0.865, 0.594]),
    ],
    ids=["anomaly", "brain-age", "cxr", "icu"],
)
def test_a_card_quotes_the_published_figures(card, values):
    assert [figure.value for figure in card.PUBLISHED] == values
