"""A feature file to scores: what is told, and what is refused."""

import csv
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from age_sets import IXI_HEADER, ixi_rows
from age_weights import write_age_weights

from medview.domain.errors import ModelInputError
from medview.domain.prediction import InputRef, RunRequest
from medview.domain.progress import Silent
from medview.learning.brain_age_run import Person, age_scores, features_row, run_brain_age


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return write_age_weights(tmp_path_factory.mktemp("age"))


def one_row(path, change=None, row=3):
    cells = dict(zip(IXI_HEADER, ixi_rows()[row], strict=True)) | (change or {})
    cells = {name: value for name, value in cells.items() if value is not None}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, cells)
        writer.writeheader()
        writer.writerow(cells)
    return path


def ran(trained, path, **given):
    inputs = (InputRef("smri", "", "u", 0, "s", (1, 1, 1)),)
    request = RunRequest(
        "brain-age", {}, inputs, tables={"smri": str(path)}, weights=str(trained[0]), **given
    )
    return run_brain_age(Silent(), request)


def test_an_age_with_both_gaps_and_a_check_of_sex(trained, tmp_path):
    told = ran(trained, one_row(tmp_path / "one.csv"), age_years=60.0, sex="M")
    age, raw = told.score("age"), told.score("gap_raw")
    model, table = trained[1].model, trained[2]
    assert age.value == pytest.approx(
        model.answer(table.take(np.array([3])).values).age[0], abs=1e-3
    )
    assert age.low < age.value < age.high
    assert raw.value == pytest.approx(age.value - 60)
    wanted = model.settings.corrected(np.array([raw.value]), np.array([60.0]))[0]
    assert told.score("gap_corrected").value == pytest.approx(wanted, abs=1e-6)
    answer = model.answer(table.take(np.array([3])).values)
    assert told.score("sex_male").value == pytest.approx(1 - answer.female[0], abs=1e-4)
    half = float(answer.high[0] - answer.age[0])
    for name in ("gap_raw", "gap_corrected"):
        gap = told.score(name)
        assert (gap.value - gap.low, gap.high - gap.value) == pytest.approx((half, half), abs=1e-3)
    assert told.parameters == {"members": 2, "age_years": 60.0, "sex": "M"}
    assert told.preparation[0] == "each feature divided by MUSE_702"
    assert told.inputs[0].role == "smri"


def test_columns_may_come_in_any_order_and_as_an_array(trained, tmp_path):
    first = ran(trained, one_row(tmp_path / "a.csv")).score("age").value
    turned = dict(reversed(list(zip(IXI_HEADER, ixi_rows()[3], strict=True))))
    with (tmp_path / "b.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, turned)
        writer.writeheader()
        writer.writerow(turned)
    np.save(tmp_path / "c.npy", np.array([float(v) for v in ixi_rows()[3][5:]]))
    for name in ("b.csv", "c.npy"):
        assert ran(trained, tmp_path / name).score("age").value == pytest.approx(first, abs=1e-4)


def test_without_an_age_there_is_no_gap_and_the_reason_is_told(trained, tmp_path):
    told = ran(trained, one_row(tmp_path / "one.csv"))
    for name in ("gap_raw", "gap_corrected"):
        score = told.score(name)
        assert (score.value, score.status, score.meaning) == (
            None,
            "not_available",
            "no age was given",
        )
    assert told.score("age").status == "ok"


@pytest.mark.parametrize("years", [20.0, 99.0])
def test_an_age_outside_the_training_is_an_extrapolation(trained, tmp_path, years):
    told = ran(trained, one_row(tmp_path / "one.csv"), age_years=years)
    assert {told.score(n).status for n in ("age", "gap_raw", "gap_corrected")} == {"extrapolating"}
    assert told.warnings[0].code == "OUTSIDE_TRAINING"
    assert "trained on ages 4" in told.warnings[0].text


def test_features_of_another_scale_are_told(trained, tmp_path):
    values = {
        name: str(float(v) * 3) for name, v in zip(IXI_HEADER[6:], ixi_rows()[3][6:], strict=True)
    }
    told = ran(trained, one_row(tmp_path / "one.csv", values))
    assert any("beyond 5 standard" in note.text for note in told.warnings)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"MUSE_600": None}, "MV-MOD-015", 'the column "MUSE_600" of 6 is missing'),
        ({"MUSE_600": "lost"}, "MV-MOD-016", '1 of 6 features have no value, "MUSE_600"'),
        ({"MUSE_702": None, "MUSE_701": None}, "MV-MOD-015", '"MUSE_702" and 1 more of 6'),
    ],
)
def test_features_that_do_not_fit_are_refused_by_column(trained, tmp_path, change, code, said):
    with pytest.raises(ModelInputError, match=said) as caught:
        ran(trained, one_row(tmp_path / "one.csv", change))
    assert caught.value.code == code
    assert caught.value.file == "one.csv"


def test_an_array_of_another_length_and_a_modality_not_trained_on_are_refused(trained, tmp_path):
    np.save(tmp_path / "v.npy", np.zeros(9))
    with pytest.raises(ModelInputError, match="it has 9 values, the model was trained on 6"):
        ran(trained, tmp_path / "v.npy")
    with pytest.raises(ModelInputError, match="trained without fmri features"):
        features_row(trained[1].model, "fmri", np.zeros(6), None)


def test_without_any_feature_file_nothing_is_told(trained):
    request = RunRequest("brain-age", {}, (), weights=str(trained[0]))
    with pytest.raises(ModelInputError, match="needs a feature file"):
        run_brain_age(Silent(), request)


def test_without_two_sexes_in_the_training_none_is_told_or_doubted(trained):
    model = Saying(trained[1].model, female=0.99)
    model.settings = replace(model.settings, knows_sex=False)
    scores, notes = age_scores(model, {"smri": trained[2].values["smri"][:1]}, Person(sex="M"))
    assert (scores[-1].name, scores[-1].value, scores[-1].status) == (
        *("sex_male", None, "not_available"),
    )
    assert not notes


@pytest.mark.parametrize(("unknown", "refused"), [(2, False), (3, True)])
def test_a_twentieth_of_the_features_may_be_unknown(unknown, refused):
    names = tuple(f"f{n}" for n in range(40))
    model = SimpleNamespace(
        settings=SimpleNamespace(columns={"smri": names}),
        ensemble=SimpleNamespace(options=SimpleNamespace(roles=("smri",))),
    )
    vector = np.where(np.arange(40) < unknown, np.nan, 1.0)
    if refused:
        with pytest.raises(ModelInputError, match='3 of 40 features have no value, "f0"'):
            features_row(model, "smri", vector, names)
    else:
        assert features_row(model, "smri", vector, names).shape == (1, 40)


@pytest.mark.parametrize(("roles", "says"), [(("smri",), []), (("smri", "fmri"), ["fmri"])])
def test_a_modality_that_is_not_given_is_told(trained, roles, says):
    model = Saying(trained[1].model)
    own = model.ensemble
    model.ensemble = SimpleNamespace(options=SimpleNamespace(roles=roles), scaling=own.scaling)
    _, notes = age_scores(model, {"smri": trained[2].values["smri"][:1]}, Person())
    assert [note.text for note in notes] == [f"told without {role}" for role in says]


class Saying:
    """The trained model, but sure of a sex or an age."""

    def __init__(self, model, female=None, age=None):
        self.model, self.female, self.age = model, female, age
        self.ensemble, self.settings, self.prepared = model.ensemble, model.settings, model.prepared

    def answer(self, given):
        told = self.model.answer(given)
        for column, value in ((told.female, self.female), (told.age, self.age)):
            if value is not None:
                column[:] = value
        return told


def test_few_unknown_features_are_told(trained):
    values = {"smri": trained[2].values["smri"][:1].copy()}
    values["smri"][0, 3] = np.nan
    _, notes = age_scores(trained[1].model, values, Person())
    name = trained[1].model.settings.columns["smri"][3]
    assert f"1 smri feature was taken at its mean: {name}" in [note.text for note in notes]


def test_a_single_feature_that_cannot_be_is_named(trained):
    values = {"smri": trained[2].values["smri"][:1].copy()}
    assert age_scores(trained[1].model, values, Person())[1] == ()
    values["smri"][0, 3] *= 1e6
    name = trained[1].model.settings.columns["smri"][3]
    (note,) = (n for n in age_scores(trained[1].model, values, Person())[1] if name in n.text)
    assert note.code == "OUTSIDE_TRAINING"
    assert "check its value and its unit" in note.text


@pytest.mark.parametrize(
    ("female", "sex", "doubted"),
    [(0.99, "M", True), (0.01, "F", True), (0.99, "F", False), (0.01, "M", False),
     (0.9, "M", False), (0.1, "F", False), (0.99, None, False)],
)  # fmt: skip
def test_the_sex_is_doubted_only_where_the_model_is_sure_of_the_other(
    trained, female, sex, doubted
):
    values = {"smri": trained[2].values["smri"][:1]}
    _, notes = age_scores(Saying(trained[1].model, female), values, Person(sex=sex))
    assert ("INPUT_DOUBTFUL" in [note.code for note in notes]) == doubted


@pytest.mark.parametrize(("beyond", "outside"), [(-1, True), (0, False), (1, False), (2, True)])
def test_an_age_found_outside_the_training_is_an_extrapolation(trained, beyond, outside):
    model = trained[1].model
    low, high = model.settings.ages
    age = {-1: low - 0.1, 0: low, 1: high, 2: high + 0.1}[beyond]
    values = {"smri": trained[2].values["smri"][:1]}
    scores, notes = age_scores(Saying(model, age=age), values, Person())
    assert (scores[0].status == "extrapolating") == outside
    assert ("OUTSIDE_TRAINING" in [note.code for note in notes]) == outside
