from dataclasses import replace
from pathlib import Path

import pytest
from services.stubs import CARD, StubJobs, catalogue_of, on_screen, result_about, series_of

from medview.domain.card import InputSpec
from medview.domain.prediction import InputRef
from medview.domain.record import Record, Strip
from medview.io.cards import write_card
from medview.services.analysis import Analysis
from medview.services.choices import Choices
from medview.services.model_library import ModelLibrary
from medview.services.offers import offer
from medview.services.records import Records
from medview.services.session import Session
from medview.services.session_values import VolumeId
from medview.services.settings import Preferences
from medview.services.shelf import Shelf

GIVEN = InputRef("series", "", "2.25.1", 0, "aa", (2, 3, 1))
RECORD = Record((Strip("Heart Rate", "1/min", (0.5,), (80.0,)),), 10.0, ("Note",))
STAY = replace(
    CARD,
    id="icu",
    inputs=(
        InputSpec("series", "a record", required=True),
        InputSpec("film", "a film", modalities=("CR", "DX")),
    ),
)


@pytest.fixture
def desk():
    session, jobs = Session(), StubJobs()
    return Records(jobs, session), session, jobs


def test_tables_are_read_once_their_images_are_listed(desk):
    records, session, jobs = desk
    records.expect((Path("study"), Path("stay.csv")))
    assert jobs.asked == []
    session.catalogue = catalogue_of(series_of("1.1"))
    jobs.last.finish(((Path("stay.csv"), "series", GIVEN, RECORD),))
    assert session.tables["series"].record is RECORD
    assert "Columns without numbers are ignored: Note" in session.message.text


def test_values_that_do_not_go_with_their_unit_are_warned_of(desk):
    records, session, jobs = desk
    doubt = "46 values look like degrees Fahrenheit"
    strip = Strip("Temp", "°C", (0.5,), (98.6,), doubt)
    records.add((Path("stay.csv"),))
    jobs.last.finish(((Path("stay.csv"), "series", GIVEN, Record((strip,), 10.0)),))
    assert session.message.text == f"Look at the units of the record. Temp: {doubt}."
    assert session.message.kind == "warning"


def test_other_images_take_the_tables_of_the_former_ones_away(desk):
    records, session, jobs = desk
    records.add((Path("stay.csv"),))
    jobs.last.finish(((Path("stay.csv"), "series", GIVEN, RECORD),))
    session.catalogue = catalogue_of(series_of("1.8"))
    assert session.tables == {}


def test_a_table_that_is_read_too_late_is_dropped(desk):
    records, session, jobs = desk
    records.add((Path("stay.csv"),))
    late = jobs.last
    session.catalogue = catalogue_of(series_of("1.8"))
    late.finish(((Path("stay.csv"), "series", GIVEN, RECORD),))
    assert session.tables == {}


def test_the_cursor_stays_within_the_record(desk):
    records, session, jobs = desk
    records.add((Path("stay.csv"),))
    jobs.last.finish(((Path("stay.csv"), "series", GIVEN, RECORD),))
    for asked, there in ((-3.0, 0.0), (4.0, 4.0), (99.0, 10.0), (None, None)):
        records.look_at(asked)
        assert session.hour == there


@pytest.mark.parametrize(
    ("modality", "tables", "role", "taken", "why"),
    [
        ("DX", (), "", (), "needs a record"),
        ("DX", ("series",), "film", ("series",), ""),
        ("CT", ("series",), "", ("series",), ""),
    ],
)
def test_a_model_that_needs_a_table_is_offered_when_it_is_open(
    desk, modality, tables, role, taken, why
):
    _, session, _ = desk
    shown = on_screen(session)
    series = replace(shown.series, modality=modality, description="thorax")
    volume = replace(shown.volume, modality=modality)
    made = offer(STAY, series, volume, tables)
    assert (made.role, made.tables, made.why_not) == (role, taken, why)


def opened(records, jobs, record=RECORD):
    records.add((Path("stay.csv"),))
    jobs.last.finish(((Path("stay.csv"), "series", GIVEN, record),))


def test_rows_before_admission_are_told(desk):
    records, session, jobs = desk
    opened(records, jobs, replace(RECORD, before=3, ignored=()))
    assert session.message.text == "3 rows lie before admission and are left out."


def test_a_table_alone_is_what_results_are_about(desk):
    records, session, jobs = desk
    opened(records, jobs)
    assert session.volume_id == VolumeId("2.25.1#0", "aa")
    records.remove("series")
    assert session.volume_id is None
    opened(records, jobs)
    session.catalogue = catalogue_of(series_of("1.8"))
    assert session.volume_id is None


def test_beside_an_image_the_image_stays_what_results_are_about(desk):
    records, session, jobs = desk
    shown = on_screen(session)
    opened(records, jobs)
    assert session.volume_id == shown.id


def test_a_stay_is_run_without_any_image_and_its_result_kept_apart(desk, tmp_path):
    records, session, jobs = desk
    for card in (CARD, STAY):
        write_card(card, tmp_path / "weights" / card.id / "card.json")
    shelf = Shelf(jobs, session, tmp_path / "results")
    preferences = Preferences(tmp_path / "settings.json")
    models = ModelLibrary(jobs, session, shipped=tmp_path / "weights")
    analysis = Analysis(jobs, session, preferences, models=models, shelf=shelf)
    opened(records, jobs)
    fits = {each.card.id: (each.fits, each.why_not) for each in analysis.offers()}
    assert fits == {"anomaly": (False, "needs a T1 volume or slice"), "icu": (True, "")}
    analysis.run("icu", Choices(film_hour=7.0))
    request = jobs.running("predict:run")[0].args[0]
    assert (request.volumes, request.inputs, request.film_hour) == ({}, (GIVEN,), 7.0)
    made = replace(result_about(session.volume_id, model="icu", names=()), inputs=(GIVEN,))
    jobs.running("predict:run")[0].finish(made)
    assert session.results == (made,)
    binding = jobs.running("keep")[0].args[1]
    assert (binding.study, binding.series, binding.sha256) == ("2.25.1", "2.25.1#0", "aa")
    on_screen(session)
    assert session.results == ()


def stay_card(*variables):
    told = [{"name": name, "impute": 1.0} for name in variables]
    return replace(STAY, settings={"variables": {"variables": told}})


@pytest.fixture
def offering(desk, tmp_path):
    """What is offered for the open table and a card of a model of stays."""
    _, session, jobs = desk

    def offers(card):
        write_card(card, tmp_path / "weights" / card.id / "card.json")
        models = ModelLibrary(jobs, session, shipped=tmp_path / "weights", own=tmp_path / "own")
        preferences = Preferences(tmp_path / "settings.json")
        (made,) = Analysis(jobs, session, preferences, models=models).offers()
        return made

    return offers


def test_a_model_that_knows_no_column_of_the_table_says_so_in_the_list(desk, offering):
    records, _, jobs = desk
    opened(records, jobs)
    made = offering(stay_card("crp", "ldh"))
    assert made.words == (
        "knows no column of the open table; it reads crp, ldh. "
        "Open a table with one of these columns."
    )
    assert not made.fits


def test_a_model_that_knows_one_column_of_the_table_is_offered(desk, offering):
    records, _, jobs = desk
    opened(records, jobs)
    known = RECORD.strips[0].name
    assert offering(stay_card("crp", known)).tables == ("series",)


@pytest.mark.parametrize("parent", ["aa", "bb", "cc"])
def test_own_versions_speak_for_the_model_that_they_were_made_from(desk, tmp_path, parent):
    """An own version of one model let another one of its id be offered, which then refused."""
    records, session, jobs = desk
    opened(records, jobs)
    shipped, own = tmp_path / "weights", tmp_path / "own"
    for name, sha in (("1.0", "aa"), ("1.0-gases", "bb")):
        card = replace(stay_card("crp"), version=name, weights_sha256=sha)
        write_card(card, shipped / f"icu-{name}" / "card.json")
    made = replace(stay_card(RECORD.strips[0].name), version="2.0", parent=parent)
    write_card(made, own / "icu" / "2.0" / "card.json")
    models = ModelLibrary(jobs, session, shipped=shipped, own=own)
    analysis = Analysis(jobs, session, Preferences(tmp_path / "settings.json"), models=models)
    fit = {each.card.version: each.fits for each in analysis.offers()}
    assert fit == {"1.0": parent != "bb", "1.0-gases": parent == "bb"}


def test_a_film_is_offered_without_a_table_that_the_model_cannot_read(desk, offering):
    records, session, jobs = desk
    shown = on_screen(session)
    session.series = replace(shown.series, modality="DX", description="thorax")
    session.volume = replace(shown.volume, modality="DX")
    opened(records, jobs)
    inputs = tuple(replace(spec, required=False) for spec in STAY.inputs)
    card = replace(stay_card("crp"), inputs=inputs)
    made = offering(card)
    assert (made.role, made.tables, made.fits) == ("film", (), True)
