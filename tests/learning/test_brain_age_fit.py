"""Fitting an age model: what is calibrated comes from rows that were left out."""

from dataclasses import replace

import numpy as np
import pytest
from age_sets import ixi_rows, write_abide
from age_weights import QUICK, made_up_table

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.learning.abide_sets import load_abide
from medview.learning.brain_age_fit import fit_age_model, usable
from medview.learning.brain_age_recipe import AgeRecipe, TrainOptions
from medview.learning.brain_age_table import kinds_of, table_of


def test_age_is_learnt_and_calibrated_on_rows_left_out(tmp_path):
    recipe = replace(QUICK, train=replace(QUICK.train, epochs=25))
    table = usable(made_up_table(tmp_path, ixi_rows(80)), recipe)
    fitted = fit_age_model(Silent(), table, recipe)
    settings = fitted.model.settings
    errors = fitted.left_out - table.age
    guess = np.abs(table.age - table.age.mean()).mean()
    assert np.abs(errors).mean() < 0.7 * guess
    slope, intercept = np.polyfit(table.age, errors, 1)
    assert settings.bias == pytest.approx((intercept, slope))
    assert np.mean(np.abs(errors) <= settings.half_width["smri"] + 1e-6) >= 0.95
    assert settings.ages == (table.age.min(), table.age.max())
    assert settings.knows_sex
    assert settings.reference[7] == (round(table.age[7], 2), round(fitted.left_out[7], 2))
    held = fitted.trainer.members[0].held
    told = fitted.model.ensemble.member_says(
        0, fitted.model.prepared(table.values), {"smri": table.present("smri")}
    )[0]
    assert fitted.left_out[held] == pytest.approx(told[held])


def test_a_recipe_chooses_rows_and_modalities(tmp_path):
    write_abide(tmp_path, count=14, pairs=11)
    table = table_of([load_abide(tmp_path)])
    assert len(usable(table, AgeRecipe())) == 14
    assert len(usable(table, AgeRecipe(rows="pairs"))) == 11
    function = usable(table, AgeRecipe(modalities="fmri"))
    assert (len(function), set(kinds_of(function))) == (11, {"fmri"})


def test_nine_rows_are_refused(tmp_path):
    table = made_up_table(tmp_path, ixi_rows(9))
    with pytest.raises(DataError, match="only 9 rows"):
        fit_age_model(Silent(), table, QUICK)


def test_the_filter_of_a_member_never_sees_its_left_out_rows(tmp_path, monkeypatch):
    seen = []

    def watched(values, ages, most, seed):
        seen.append(set(ages.tolist()))
        return fit_scaling(values, ages, most, seed)

    from medview.learning import brain_age_fit
    from medview.learning.brain_age_model import fit_scaling

    monkeypatch.setattr(brain_age_fit, "fit_scaling", watched)
    table = made_up_table(tmp_path)
    recipe = replace(QUICK, train=TrainOptions(epochs=1))
    fitted = fit_age_model(Silent(), table, recipe)
    for ages, member in zip(seen, fitted.trainer.members, strict=True):
        assert not ages & set(table.age[member.held].tolist())
