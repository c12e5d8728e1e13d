"""What an age model may say of its errors: calibrated on rows that were left out."""

from dataclasses import replace

import numpy as np
import pytest
from age_sets import write_abide
from age_weights import QUICK

from medview.domain.progress import Silent
from medview.learning.abide_sets import load_abide
from medview.learning.brain_age_calibration import _line
from medview.learning.brain_age_fit import fit_age_model, usable
from medview.learning.brain_age_table import table_of


def test_one_modality_alone_has_an_interval_at_least_as_wide(tmp_path):
    write_abide(tmp_path, count=30, pairs=20)
    recipe = replace(QUICK, target="log", features=30)
    table = usable(table_of([load_abide(tmp_path)]), recipe)
    fitted = fit_age_model(Silent(), table, recipe)
    widths = fitted.model.settings.half_width
    assert set(widths) == {"smri", "fmri", "smri+fmri"}
    assert min(widths["smri"], widths["fmri"]) >= widths["smri+fmri"]
    assert fitted.model.ensemble.options.width("fmri") == 30
    assert not fitted.model.settings.knows_sex
    only = {role: v[:4].copy() for role, v in table.values.items()}
    both = fitted.model.answer(only)
    alone = fitted.model.answer({**only, "smri": np.full_like(only["smri"], np.nan)})
    missing = fitted.model.answer({"smri": only["smri"]})
    assert np.isfinite(alone.age).all()
    assert not np.allclose(alone.age, both.age)
    assert (missing.high - missing.low >= both.high - both.low).all()
    # Controls only are the reference.
    assert len(fitted.model.settings.reference) == 20


def test_gaps_of_one_age_have_no_slope():
    gaps = np.array([1.0, 2.0, 6.0])
    assert _line(np.full(3, 50.0), gaps) == (3.0, 0.0)
    assert _line(np.array([40.0, 50.0, 60.0]), gaps) == pytest.approx((-9.5, 0.25))
