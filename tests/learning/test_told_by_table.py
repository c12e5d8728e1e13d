"""Age, sex and site of a feature table are those of the run, in the window and on the line."""

from dataclasses import replace

import numpy as np
import pytest
from services.stubs import result_about

from medview.domain.prediction import RunRequest
from medview.domain.progress import Silent
from medview.learning import predict
from medview.learning.told_by_table import with_person
from medview.services.session_values import VolumeId


@pytest.fixture
def asked(tmp_path):
    def of(text, **fields):
        (tmp_path / "t.csv").write_text(text)
        return RunRequest("x", {}, (), tables={"smri": str(tmp_path / "t.csv")}, **fields)

    return of


def person(request):
    return request.age_years, request.sex, request.site


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("case,age_years,sex,site,v\na,61.5,F,HH,1\n", (61.5, "F", "HH")),
        ("Age;Sex;V\n61,5;male;1\n", (61.5, "M", None)),
        ("AGE_AT_SCAN,SITE,v\n,Guys,1\n", (None, None, "Guys")),
        ("age,v\n1,2\n3,4\n", (None, None, None)),  # of whom is not said
        ("v\n1\n", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_the_only_row_says_who_it_is(asked, text, known):
    made, own = with_person(asked(text))
    assert person(made) == known
    assert set(own) == {n for n, v in zip(("age_years", "sex", "site"), known, strict=True) if v}


def test_what_was_asked_for_goes_before_the_table(asked):
    text = "age,sex,site,v\n61,F,HH,1\n"
    made, own = with_person(asked(text, age_years=70.0, sex="M", site="Guys"))
    assert (person(made), own) == ((70.0, "M", "Guys"), ())
    made, own = with_person(asked(text, site=""))  # chosen as unknown
    assert (made.site, own) == (None, ("age_years", "sex"))


def test_an_age_that_is_none_is_told_and_left_out(asked):
    text = "age,site,v\n610,HH,1\n"
    made, _ = with_person(asked(text))
    assert (made.age_years, made.site) == (None, "HH")
    assert [(n.code, n.text) for n in made.notes] == [
        ("UNUSED_INPUT", 'the table says "610", which is no age')
    ]
    assert with_person(asked(text, age_years=61.0))[0].notes == ()


def test_an_array_says_nothing_and_the_other_table_may(asked, tmp_path):
    np.save(tmp_path / "v.npy", np.zeros(3))
    made = asked("age,v\n61,1\n")
    tables = {"smri": str(tmp_path / "v.npy"), "fmri": made.tables["smri"]}
    assert with_person(replace(made, tables=tables))[0].age_years == 61.0


def test_a_run_is_made_with_it_and_the_result_says_where_it_is_from(asked, monkeypatch):
    def runner(job, request):
        parameters = {"age_years": request.age_years}
        return replace(result_about(VolumeId("1.1#0", "abc")), parameters=parameters)

    monkeypatch.setitem(predict.RUNNERS, "x", f"{__name__}:runner")
    monkeypatch.setattr(predict, "_within_memory", lambda job, work, request: runner(job, request))
    monkeypatch.setattr(
        predict, "import_module", lambda name: __import__("types").SimpleNamespace(runner=runner)
    )
    made = predict.run(Silent(), asked("age,site,v\n61.5,HH,1\n", device="cpu"))
    assert made.parameters == {"age_years": 61.5}
    assert made.preparation[0] == "age in years as the feature table says"
    assert not any(step.startswith("site") for step in made.preparation)
