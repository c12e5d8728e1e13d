"""A stay to its Prediction: scores, course, units, and nothing from what was never trained."""

import csv
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from icu_minis import challenge, film, hannover

from medview.domain.errors import DataError, ModelInputError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.prediction import RunRequest
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.io.cards import read_card
from medview.learning import icu_evidence, icu_run
from medview.learning.evaluate import evaluate
from medview.learning.icu_grid import Events
from medview.learning.icu_run import run_icu
from medview.learning.icu_series import Series
from medview.learning.icu_training import fit
from medview.learning.icu_variables import shipped_map
from medview.learning.images import read_image
from medview.services.recipes import read_recipe

SMALL = (
    "hidden=8", "width=8", "heads=2", "feed_forward=8", "epochs=6", "batch=8", "members=1",
    "hourly_members=1", "hourly_hidden=8", "hourly_epochs=2", "rate=2e-2",
)  # fmt: skip
NAMES = [
    "mortality", *(f"phenotype_{n:02d}" for n in range(1, 26)), "attention_series",
    "attention_film", "shapley_series", "shapley_film", "imputed_share",
]  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Weights of a series model and of one with films, by name."""
    place = tmp_path_factory.mktemp("icu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDVIEW_HOME", str(place / "home"))
        patch.setattr(icu_evidence, "FILMS", 1)
        for name, make, settings in (
            ("series", challenge, ("folds=2",)),
            ("film", hannover, ("variables=hannover", "film=features", "epochs=2")),
        ):
            recipe = read_recipe("icu", None, (*SMALL, *settings))
            data = str(make(place / f"{name}-data"))
            fit(Silent(), TrainRequest((data,), str(place / name), recipe, threads=1))
        yield place


def table(folder: Path, rows, header="Hours,Heart Rate,Temperature,Glascow coma scale total"):
    path = folder / "stay.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])
    return path


def asked(trained, path, which="series", **changes):
    weights = str(trained / which / "weights.safetensors")
    tables = {"series": str(path)} if path else {}
    volumes = changes.pop("volumes", {})
    return run_icu(
        Silent(), RunRequest("icu", volumes, (), tables=tables, weights=weights, **changes)
    )


ROWS = [(h + 0.5, 80 + h, 37.0, 15) for h in range(20)]


def test_a_stay_gets_every_score_of_the_contract_and_a_course(trained, tmp_path):
    found = asked(trained, table(tmp_path, ROWS))
    assert [score.name for score in found.scores] == NAMES
    risk = found.score("mortality")
    assert risk.status == "ok"
    assert 0 <= risk.low <= risk.value <= risk.high <= 1
    assert [point.hour for point in found.trace] == list(range(1, 21))
    assert found.trace[-1].mortality == risk.value
    assert 0 < found.score("imputed_share").value < 1


def test_what_was_not_trained_is_not_given_out(trained, tmp_path):
    found = asked(trained, table(tmp_path, ROWS))
    silent = [score for score in found.scores if score.value is None]
    assert {score.status for score in silent} == {"not_available"}
    assert [score.name for score in silent] == NAMES[1:30]
    assert "not trained" in found.score("shapley_film").meaning
    assert "Acute and unspecified renal failure" in found.score("phenotype_01").meaning


def test_the_risk_at_an_hour_does_not_change_with_later_values(trained, tmp_path):
    before = asked(trained, table(tmp_path, ROWS)).trace
    later = [(h, rate * (1 if h <= 12 else 2), t, c) for h, rate, t, c in ROWS]
    after = asked(trained, table(tmp_path, later)).trace
    assert [p.mortality for p in before[:12]] == [p.mortality for p in after[:12]]
    assert before[-1].mortality != after[-1].mortality


def test_rows_that_are_there_twice_change_nothing_and_are_told(trained, tmp_path):
    once, twice = (asked(trained, table(tmp_path, rows)) for rows in (ROWS, ROWS + ROWS))
    assert [(s.value, s.low) for s in once.scores] == [(s.value, s.low) for s in twice.scores]
    assert once.trace == twice.trace
    (told,) = [note.text for note in twice.warnings if note.code == "DUPLICATE"]
    assert told == "60 values are told again for the same time; each counts once"


def test_the_same_seed_gives_the_same_interval(trained, tmp_path):
    path = table(tmp_path, ROWS)
    one, two = (asked(trained, path, seed=3).score("mortality") for _ in range(2))
    assert (one.low, one.high) == (two.low, two.high)
    assert asked(trained, path, seed=4).score("mortality").low != one.low


def test_fahrenheit_is_recognised_and_said(trained, tmp_path):
    warm = [(h, r, 98.6, c) for h, r, _, c in ROWS]
    celsius = asked(trained, table(tmp_path, ROWS)).score("mortality").value
    found = asked(trained, table(tmp_path, warm))
    assert found.score("mortality").value == pytest.approx(celsius, abs=1e-4)
    assert [n.text for n in found.warnings if n.code == "UNIT"] == [
        "Temp: degrees Fahrenheit; converted (20 values)"
    ]


def test_a_unit_that_nothing_tells_is_doubted_beside_amounts(trained, tmp_path):
    path = table(tmp_path, [(1, 90, 120, 7), (2, 91, 140, 8)], "Hours,HR,Creatinine,BUN")
    assert [n.text for n in asked(trained, path).warnings if n.code == "UNIT"] == [
        "Creatinine: umol/l, not mg/dl; converted (2 values)",
        "no unit is told of BUN, beside others in mmol/l or umol/l; taken as mg/dl",
    ]


def test_one_value_out_of_range_is_one_value(trained, tmp_path):
    path = table(tmp_path, [*ROWS, (21, 9999, 37.0, 15)])
    (told,) = [n.text for n in asked(trained, path).warnings if n.code == "OUT_OF_RANGE"]
    assert told.endswith("(1 value)")


def test_unknown_columns_and_absent_variables_are_listed(trained, tmp_path):
    path = table(tmp_path, [(1, 80, "blue", 3, 10)], "Hours,HR (bpm),Mood,WBC (pots),MAP (kPa)")
    notes = [note.text for note in asked(trained, path).warnings]
    assert notes[:3] == [
        "MAP: kPa, not mmHg; converted (1 value)",
        "not used: Mood",
        "not used: WBC (pots), whose unit is not known; give it in 1000/ul",
    ]
    assert "39 of 41 variables" in notes[3]


def test_of_very_many_unknown_columns_some_are_named_and_the_others_counted():
    """The warning goes into a report, which has no room for thousands of names."""
    strange = [f"c{n:04}" for n in range(3000)]
    series = Series.of(strange, [(1.0, n, 1.0) for n in range(3000)])
    variables = shipped_map("physionet2012")
    first, _ = icu_run._notes(series, variables, Events.of([]), {})
    assert first.text.startswith("not used: c0000, c0001, ")
    assert first.text.endswith(", c0039 and 2960 more")


def test_age_and_sex_from_outside_enter_where_the_table_has_none(trained, tmp_path):
    path = table(tmp_path, ROWS)
    old = asked(trained, path, age_years=88.0, sex="F")
    assert old.parameters["age_years"] == 88.0
    assert old.score("mortality").value != asked(trained, path).score("mortality").value


def test_a_longer_stay_is_cut_and_says_so(trained, tmp_path):
    found = asked(trained, table(tmp_path, [(h, 80, 37, 15) for h in range(0, 80, 4)]))
    assert len(found.trace) == 48
    assert any("first 48 h" in note.text for note in found.warnings)


def test_without_anything_to_use_it_refuses(trained):
    with pytest.raises(ModelInputError, match="needs a time series"):
        asked(trained, None)


def test_a_broken_table_names_the_row(trained, tmp_path):
    with pytest.raises(DataError, match="row 2"):
        asked(trained, table(tmp_path, [(1, "fast", 37, 15)]))


def test_series_and_film_share_the_risk_between_them(trained, tmp_path):
    volumes = {"film": read_image(film(tmp_path / "film.png"))}
    path = table(tmp_path, [(0, 30), (1, 200)], "Day,CRP")
    found = asked(trained, path, "film", volumes=volumes, film_hour=24.0)
    assert found.score("mortality").status == "not_available"
    shares = [found.score(f"attention_{name}").value for name in ("series", "film")]
    assert sum(shares) == pytest.approx(1)
    moved = sum(found.score(f"shapley_{name}").value for name in ("series", "film"))
    start = float(found.score("shapley_film").meaning.split("from ")[1].split(" ")[0])
    assert start + moved == pytest.approx(found.score("icu_admission").value, abs=1e-3)
    card = read_card(trained / "film" / "card.json")
    assert card.settings["map_likeness"]["films"] == 1
    given = ["evidence", "seen"] if icu_evidence.shown(card.settings) else ["seen"]
    assert [m.name for m in found.maps] == given
    assert all(m.array.shape == volumes["film"].geometry.shape for m in found.maps)


@pytest.mark.parametrize("given", ["series", "film"])
def test_either_input_alone_is_enough_and_shares_are_then_not_available(trained, tmp_path, given):
    volumes = {"film": read_image(film(tmp_path / "film.png"))} if given == "film" else {}
    path = table(tmp_path, [(0, 30)], "Day,CRP") if given == "series" else None
    found = asked(trained, path, "film", volumes=volumes)
    assert np.isfinite(found.score("icu_admission").value)
    assert found.score("shapley_film").status == "not_available"


def test_evaluation_leaves_seen_patients_out_and_writes_predictions(trained, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    weights = str(trained / "series" / "weights.safetensors")
    same = EvaluateRequest("icu", (str(trained / "series-data"),), str(tmp_path / "a"), weights)
    with pytest.raises(DataError, match="24 are of patients"):
        evaluate(Silent(), same)
    folder = tmp_path / "other"
    table_rows = "case,patient,series,mortality\n" + "".join(
        f"n{n},q{n},s{n % 2}.csv,{n % 2 if n < 30 else ''}\n" for n in range(32)
    )
    folder.mkdir()
    (folder / "cases.csv").write_text(table_rows)
    for n in range(2):
        (folder / f"s{n}.csv").write_text(f"Hours,HR,GCS\n1,{75 + 45 * n},{15 - 9 * n}\n")
    body = evaluate(Silent(), EvaluateRequest("icu", (str(folder),), str(tmp_path / "b"), weights))
    rows = {row["name"]: row for row in body["metrics"]}
    assert rows["roc_auc"]["value"] in (0.0, 1.0)
    assert (rows["brier"]["n"], body["data"][0]["cases"]) == (30, 32)
    (curve,) = body["reliability"]
    assert (curve["score"], sum(point["n"] for point in curve["points"])) == ("mortality", 30)
    drawn = list((tmp_path / "b").glob("reliability-*-mortality.svg"))
    assert len(drawn) == (len(curve["points"]) > 1)
    with (tmp_path / "b" / "predictions.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 32
    assert {"mortality", "mortality_low", "mortality_high"} <= lines[0].keys()


def test_an_evaluation_says_what_is_odd_about_the_values_of_many_stays(trained, tmp_path):
    weights = str(trained / "series" / "weights.safetensors")
    folder = tmp_path / "other"
    folder.mkdir()
    lines = [f"n{n},s{n and 1}.csv,{n % 2}" for n in range(50)]
    (folder / "cases.csv").write_text("\n".join(["case,series,mortality", *lines]))
    for n, white in enumerate(("9000", "9")):
        (folder / f"s{n}.csv").write_text(f"Hours,HR,WBC,Na\n1,0,{white},140\n2,90,{white},141\n")
    body = evaluate(Silent(), EvaluateRequest("icu", (str(folder),), str(tmp_path / "b"), weights))
    assert body["notes"] == ["cases: HR: outside 1 to 400; left out (in 50 of 50 stays)"]
    (folder / "cases.csv").write_text("case,series,mortality\na,s0.csv,1\nb,s1.csv,0\nc,s1.csv,0")
    body = evaluate(Silent(), EvaluateRequest("icu", (str(folder),), str(tmp_path / "c"), weights))
    assert "cases: WBC: 1/ul, not 1000/ul; converted (in 1 of 3 stays)" in body["notes"]


MAP = shipped_map("physionet2012")
CARD = SimpleNamespace(title="T", version="1", preparation=("bins",))
PLAIN = SimpleNamespace(variables=MAP, uses_film=False, clahe=False)
WITH_FILM = SimpleNamespace(variables=MAP, uses_film=True, clahe=False)


def given(monkeypatch, path, model=WITH_FILM, *, film=True, **more):
    """What a run is given of a table and a film, whose features are not looked for."""
    monkeypatch.setattr(icu_run, "features_of", lambda *_, **__: np.zeros(3))
    monkeypatch.setattr(icu_run, "steps_of", lambda *_, **__: ("film",))
    tables = {"series": str(path)} if path else {}
    volumes = {"film": None} if not film else {"film": object()}
    return icu_run._given(RunRequest("icu", volumes, (), tables=tables, **more), model, CARD)


def codes_of(found):
    return [note.code for note in found.notes]


@pytest.mark.parametrize(("hour", "bins"), [(None, 5), (3.0, 5), (12.0, 12)])
def test_bins_reach_to_the_last_value_and_to_the_film(tmp_path, monkeypatch, hour, bins):
    path = table(tmp_path, [(1, 80, 37, 15), (4.5, 80, 37, 15)])
    found = given(monkeypatch, path, film_hour=hour)
    assert len(found.grid.values) == bins
    assert found.film_hour == (4.5 if hour is None else hour)
    assert ("NO_FILM_HOUR" in codes_of(found)) == (hour is None)
    assert found.steps[0] == "bins"
    assert len(found.steps) > 1


def test_a_table_of_which_nothing_can_be_used_is_refused_unless_a_film_says_more(
    tmp_path, monkeypatch
):
    path = table(tmp_path, [(0, 9999, 9999)], "Hours,Heart Rate,Temperature")
    with pytest.raises(ModelInputError, match=r"none of its values can be used: .*outside") as no:
        given(monkeypatch, path, PLAIN, film=False)
    assert no.value.file == "stay.csv"
    assert given(monkeypatch, path).film is not None


def test_of_a_series_alone_it_is_not_said_that_a_film_is_late(tmp_path, monkeypatch):
    path = table(tmp_path, [(1, 80, 37, 15), (1000, 80, 37, 15)])
    for is_given, who in ((False, "the series reaches hour 1000;"), (True, "series and film")):
        texts = [note.text for note in given(monkeypatch, path, film=is_given).notes]
        assert any(text.startswith(who) for text in texts)


def test_without_a_film_no_hour_of_one_is_missed(tmp_path, monkeypatch):
    path = table(tmp_path, [(1, 80, 37, 15)])
    for model, is_given in ((PLAIN, True), (WITH_FILM, False)):
        found = given(monkeypatch, path, model, film=is_given)
        assert (found.film, found.film_hour, found.steps) == (None, 0.0, ("bins",))
        assert "NO_FILM_HOUR" not in codes_of(found)


@pytest.mark.parametrize(("last", "told"), [(48, False), (48.5, True)])
def test_only_what_lies_beyond_the_longest_stay_is_told(tmp_path, monkeypatch, last, told):
    found = given(monkeypatch, table(tmp_path, [(1, 80, 37, 15), (last, 80, 37, 15)]), PLAIN)
    assert ("OUTSIDE_TRAINING" in codes_of(found)) == told


@pytest.mark.parametrize(("sex", "value"), [("F", 0.0), ("M", 1.0)])
def test_age_and_sex_of_the_table_prevail(sex, value):
    asked = RunRequest("icu", {}, (), age_years=88.0, sex=sex)
    both = icu_run._with_patient(Events.of([]), MAP, asked)
    told = dict(zip(both.codes.tolist(), both.values.tolist(), strict=True))
    assert told == {MAP.codes["age"]: 88.0, MAP.codes["gender"]: value}
    own = Events.of([(0.0, MAP.codes["age"], 50.0), (0.0, MAP.codes["gender"], 1 - value)])
    kept = icu_run._with_patient(own, MAP, asked)
    assert (kept.codes.tolist(), kept.values.tolist()) == (own.codes.tolist(), own.values.tolist())


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        ({}, []),
        ({"commas": 3}, ["3 numbers with a decimal comma were read as such"]),
        ({"commas": 1}, ["1 number with a decimal comma was read as such"]),
        ({"before": 1}, ["1 row lies before admission; nothing of it is used"]),
        ({"before": 2}, ["2 rows lie before admission; nothing of it is used"]),
        (
            {"limits": {0: "<0.1"}},
            ['1 value is a limit of what was measured ("<0.1"); the limit was taken'],
        ),
        (
            {"limits": {0: ">600", 4: "<0.1"}},
            ['2 values are limits of what was measured (">600"); the limit was taken'],
        ),
        ({"twice": 1}, ["1 value is told again for the same time; each counts once"]),
    ],
)
def test_what_is_odd_in_a_table_is_counted(odd, says):
    series = replace(Series.of(["HR"], [(1.0, 0, 80.0)]), **odd)
    assert [note.text for note in icu_run._odd_rows(series)] == says


@pytest.mark.parametrize(("there", "more"), [(29, False), (28, True)])
def test_of_absent_variables_twelve_are_named(there, more):
    events = Events.of([(1.0, code, 1.0) for code in range(there)])
    (note,) = icu_run._notes(Series.of([], []), MAP, events, {})
    assert note.text.startswith(f"{41 - there} of 41 variables are not there")
    assert note.text.endswith(" ...") == more
    assert note.text.count("; ") == 11


def test_absent_variables_are_called_by_words_and_not_by_their_columns():
    labs = shipped_map("hannover")
    (note,) = icu_run._notes(Series.of([], []), labs, Events.of([]), {})
    assert "; Factor XII; LDH; " in note.text
    assert "_" not in note.text


def test_what_a_run_was_asked_and_given_is_told(trained, tmp_path):
    found = asked(trained, table(tmp_path, ROWS), samples=3, film_hour=2.0)
    assert found.parameters == {"samples": 3}
