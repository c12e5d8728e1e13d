"""The classical baselines know the normal slices they were fitted on, and see what is odd."""

from pathlib import Path

import numpy as np
import pytest
from brains import normal_case

from medview.domain.progress import Silent
from medview.learning.baselines import fit_baselines, fit_pca, fit_zscore, training_slices
from medview.learning.cases import find_subsets, prepare_case
from medview.learning.scoring import Slices, slices_of, together, trivial_scorer
from medview.learning.synthetic import DRAWS, HeldOut, try_lesions
from medview.learning.synthetic_rows import synthetic_rows


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("brains")
    return [normal_case(folder, seed) for seed in range(6)]


@pytest.mark.parametrize("fit", [fit_pca, fit_zscore])
def test_a_bright_spot_stands_out_on_its_slice_and_at_its_place(cases, fit):
    scorer = fit(training_slices(cases[:5]))
    whole = slices_of(cases[5].prepared)
    row = len(whole) // 2
    spotted = whole.pictures.copy()
    spotted[row, 60:70, 60:70] = 1.0
    (clean,) = scorer(whole).values()
    (found,) = scorer(whole.showing(spotted)).values()
    assert found.per_slice.argmax() == row
    assert found.per_slice[row] > clean.per_slice[row]
    peak = np.unravel_index(found.pixels[row].argmax(), (128, 128))
    assert all(58 <= place <= 72 for place in peak)


def test_a_slice_of_unknown_height_is_compared_with_the_height_it_resembles(cases):
    scorer = fit_zscore(training_slices(cases[:5]))
    whole = slices_of(cases[5].prepared)
    rows = np.array([len(whole) // 4, len(whole) // 2])
    known = whole.take(rows)
    unknown = Slices(known.pictures, known.brain, known.index, np.full(2, np.nan), known.total)
    expected = scorer(known)["zscore"].per_slice
    assert scorer(unknown)["zscore"].per_slice == pytest.approx(expected, rel=0.3)


def test_two_volumes_are_too_few_to_fit_on(cases):
    assert fit_baselines(cases[:2]) == ()
    assert len(fit_baselines(cases[:3])) == 2


def cross_validated(cases, *, folds=5, always=(), draws=DRAWS):
    """Figures of cases by baselines fitted on the other folds and on `always`."""
    held_out = []
    for n in range(folds):
        fold = cases[n::folds]
        training = [case for case in (*cases, *always) if case not in fold]
        scorer = together(trivial_scorer, *fit_baselines(training))
        held_out += [HeldOut(case, scorer) for case in fold]
    return synthetic_rows(try_lesions(Silent(), held_out, draws=draws))


def test_cross_validated_baselines_come_with_the_trivial_rows(cases):
    rows = cross_validated(cases, folds=2, draws=1)
    names = {row.predictor for row in rows}
    assert {"pca", "zscore", "brain_area", "slice_height", "intensity"} <= names
    assert all(row.n_patients == 6 for row in rows if row.level == "case")


DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "mri3d"
PARTS = ("normal", "elderly", "templates")


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="the shared data are not here")
def test_the_figures_of_the_shared_volumes_are_those_that_were_published_with_them():
    subsets = find_subsets(tuple(str(DATA / name) for name in PARTS), "anomaly")
    cases = [prepare_case(case) for subset in subsets for case in subset.cases]
    scored = [case for case in cases if case.case.subset != "mni152"]
    template = [case for case in cases if case.case.subset == "mni152"]
    rows = cross_validated(scored, always=template)
    found = {
        (r.predictor, r.level, r.name): r for r in rows if r.group == "all" and "+" in r.subset
    }
    assert found["pca", "slice", "roc_auc"].n == 686
    assert found["pca", "slice", "roc_auc"].value == pytest.approx(0.665, abs=0.02)
    assert found["zscore", "slice", "roc_auc"].value == pytest.approx(0.670, abs=0.02)
    # Their pixel figures are a little higher than 0.27 and 0.33: other lesions, other masks.
    assert found["pca", "pixel", "pr_auc"].value == pytest.approx(0.30, abs=0.05)
    assert found["zscore", "pixel", "pr_auc"].value == pytest.approx(0.35, abs=0.05)
