from dataclasses import replace

import pytest
from phantoms import phantom
from services.stubs import CARD, catalogue_of, series_of

from medview.services import running
from medview.services.inputs import Gathered, Given, Wanted
from medview.services.running import RunOptions, run_case

AT_SITES = replace(CARD, settings={"sites": ["Guys", "HH"]})


class Asked(Exception):
    """The model was asked."""


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Run on a series with that institution in its header; what the model is asked."""

    def run(institution, **options):
        series = series_of("1.1", institution=institution)
        found = Gathered((Given("t1", series, catalogue_of(series)),), (), ())
        requests = []

        def ask(jobs, request, *, progress=None):
            requests.append(request)
            raise Asked

        monkeypatch.setattr(running, "gather", lambda *_: found)
        monkeypatch.setattr(running.library, "load", lambda *_, **__: phantom())
        monkeypatch.setattr(running, "run_model", ask)
        with pytest.raises(Asked):
            run_case(None, AT_SITES, Wanted(()), RunOptions(**options), tmp_path / "out")
        return requests[0]

    return run


def test_site_age_and_sex_are_what_was_typed_else_what_the_header_says(asked):
    said = asked("guys")
    assert (said.site, said.sex) == ("Guys", "F")
    assert said.age_years == pytest.approx(76, abs=0.01)
    typed = asked("guys", site="HH", sex="M", age_years=50.0)
    assert (typed.site, typed.sex, typed.age_years) == ("HH", "M", 50.0)


def test_a_site_of_the_header_that_the_model_has_not_seen_is_none(asked):
    assert asked("Nowhere General").site is None
    assert asked("guys", site="").site == ""
