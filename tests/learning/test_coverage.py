"""An interval that nobody has counted is not shown."""

from dataclasses import replace

import pytest
from services.stubs import CARD, result_about

from medview.domain.card import Figure
from medview.domain.prediction import RunRequest, Score
from medview.domain.resources import resource
from medview.io.cards import read_card, write_card
from medview.learning.coverage import cards_of, is_counted, without_uncounted
from medview.services.session_values import VolumeId

AGE = Score("age", 61.0, 55.0, 67.0, method="conformal, from rows left out of training")
OWN = Score("anomaly", 1.8, 1.6, 2.1, method="5 samples")


def made(**fields):
    about = VolumeId("1.1#0", "abc")
    return replace(result_about(about, model="brain-age"), scores=(AGE, OWN), **fields)


def asked(folder, *figures):
    write_card(replace(CARD, id="brain-age", measured=figures), folder / "card.json")
    return RunRequest("brain-age", {}, (), weights=str(folder / "weights.safetensors"))


@pytest.mark.parametrize(
    "figures",
    [(), (Figure("mae", 5.0, "ixi", n=90),), (Figure("coverage", None, "ixi", n=90),),
     (Figure("coverage", 0.95, "ixi", n=0),)],
)  # fmt: skip
def test_without_a_count_there_is_a_number_and_no_interval(tmp_path, figures):
    found = without_uncounted(made(), asked(tmp_path, *figures))
    age, own = found.scores
    assert (age.value, age.low, age.high) == (61.0, None, None)
    assert own == OWN  # it does not claim to hold the truth
    assert [note.code for note in found.warnings] == ["NO_COVERAGE"]


def test_with_a_count_on_patients_the_interval_stays(tmp_path):
    request = asked(tmp_path, Figure("coverage", 0.95, "ixi-roi", n=251))
    whole = made()
    assert without_uncounted(whole, request) is whole


def test_the_part_that_answered_is_asked_too(tmp_path):
    request = asked(tmp_path)
    routed = made(parameters={"route": "t1"})
    assert [card.id for card in cards_of(routed, request)] == ["brain-age", "region-net"]
    assert without_uncounted(routed, request) is routed


def test_without_weights_of_ones_own_the_shipped_card_is_asked():
    request = RunRequest("brain-age", {}, ())
    shipped = read_card(resource("weights", "brain-age", "card.json"))
    assert [card.measured for card in cards_of(made(), request)] == [shipped.measured]


def test_a_result_without_such_intervals_is_left_as_it_is(tmp_path):
    plain = replace(made(), scores=(OWN,))
    assert without_uncounted(plain, asked(tmp_path)) is plain


@pytest.mark.parametrize("model", ["brain-age", "brain-age-armed", "region-net"])
def test_shipped_weights_with_conformal_intervals_have_been_counted(model):
    assert is_counted((read_card(resource("weights", model, "card.json")),))
