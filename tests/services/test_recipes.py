"""Recipes: the shipped one says everything, and what is said instead is checked."""

from dataclasses import asdict

import pytest

from medview.domain.errors import DataError, UsageError
from medview.learning.anomaly_recipe import Recipe
from medview.services.recipes import (
    epochs_of,
    epochs_settings,
    halved,
    read_recipe,
    read_sweeps,
    shipped_recipe,
)


def test_the_shipped_recipe_says_every_setting_and_the_trainer_takes_it():
    shipped = shipped_recipe("anomaly")
    assert asdict(Recipe.of(shipped)) == shipped
    assert set(shipped) == set(asdict(Recipe()))


def test_a_file_and_single_settings_replace_what_they_name(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("epochs = 3\nrate = 1\n[augment]\ngamma = 0.5\n")
    recipe = read_recipe("anomaly", file, ("epochs=7", "augment.gamma = 0.1", "bfloat16=false"))
    assert (recipe["epochs"], recipe["rate"]) == (7, 1.0)
    assert recipe["augment"]["gamma"] == 0.1
    assert recipe["bfloat16"] is False
    assert recipe["augment"]["noise"] == shipped_recipe("anomaly")["augment"]["noise"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("epochs", "it has no ="),
        ("epochs=many", "epochs is a whole number"),
        ("epochs=2.5", "epochs is a whole number"),
        ("epochs=0", "must be above 0"),
        ("epochs=true", "epochs is a whole number"),
        ("rate=-1", "must be above 0"),
        ("rate=nan", "must be above 0"),
        ("rate=inf", "must be finite"),
        ("disturb=-0.1", "must not be below 0"),
        ("bfloat16=1", "bfloat16 is true or false"),
        ("colour=red", "no setting is called colour"),
        ("augment=1", "no setting is called augment"),
        ("augment.glamour=1", "no setting is called augment.glamour"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_the_reason(text, says):
    with pytest.raises(UsageError) as caught:
        read_recipe("anomaly", None, (text,))
    assert says in str(caught.value)
    assert text in str(caught.value)


def test_a_logarithm_may_be_negative():
    recipe = read_recipe("anomaly", None, ("network.variance_floor=-9.0",))
    assert recipe["network"]["variance_floor"] == -9.0


@pytest.mark.parametrize("text", ["epochs = ", "epochs = 'two'", "unknown = 1", "\udcff"])
def test_a_file_that_is_no_recipe_is_refused_by_name(text, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=r"mine\.toml"):
        read_recipe("anomaly", file)


def test_a_recipe_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DataError, match=r"mine\.toml: does not exist"):
        read_recipe("anomaly", tmp_path / "mine.toml")


def test_epochs_are_those_of_every_part():
    assert epochs_settings("icu", None) == ()
    told = read_recipe("icu", None, epochs_settings("icu", 2))
    assert [told[n] for n in ("epochs", "phenotype_epochs", "hourly_epochs")] == [2, 2, 2]
    assert epochs_settings("brain-age", 3) == ("train.epochs=3",)
    assert epochs_settings("cxr", 3) == ("epochs=3",)


def test_a_model_without_a_recipe_is_told():
    with pytest.raises(UsageError, match="no recipe to train nosuch"):
        read_recipe("nosuch")


def test_several_values_of_a_setting_are_a_sweep_and_one_is_a_setting():
    single, sweeps = read_sweeps("anomaly", ["epochs=3", "network.heads=2,4", "rate=0.1,1"])
    assert single == ("epochs=3",)
    assert sweeps == {"network.heads": (2, 4), "rate": (0.1, 1.0)}
    with pytest.raises(UsageError, match=r"network\.heads is a whole number"):
        read_sweeps("anomaly", ["network.heads=2,many"])


@pytest.mark.parametrize("model", ["anomaly", "brain-age", "cxr", "icu"])
def test_every_model_is_told_its_epochs_by_the_same_word(model):
    assert epochs_of(read_recipe(model, None, ("epochs=3",))) == 3
    assert epochs_of(read_recipe(model)) > 3


@pytest.mark.parametrize("model", ["anomaly", "brain-age", "cxr", "icu"])
def test_half_as_many_cases_in_a_step_are_settings_of_the_recipe(model):
    once, often = halved(read_recipe(model)), halved(read_recipe(model), 20)
    smaller, smallest = (read_recipe(model, None, each) for each in (once, often))
    assert once
    assert halved(smaller)
    assert halved(smallest) == ()
