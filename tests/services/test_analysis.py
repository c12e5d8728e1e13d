from dataclasses import replace
from pathlib import Path

import pytest
from phantoms import phantom
from services.stubs import CARD, catalogue_of, finding_at, on_screen, result_about
from services.test_filling import block

from medview.domain.card import OutputSpec
from medview.domain.errors import WorkerDied
from medview.domain.overlay import LayerStyle
from medview.io.cards import write_card
from medview.services.analysis import Analysis, run_model
from medview.services.choices import Choices
from medview.services.model_library import ModelLibrary
from medview.services.session import Session


@pytest.fixture
def session():
    session = Session()
    shown = on_screen(session)
    session.catalogue = catalogue_of(shown.series)
    return session


def analysis_of(jobs, session, preferences, shipped, own=None):
    models = ModelLibrary(jobs, session, shipped=shipped, own=own)
    return Analysis(jobs, session, preferences, models=models)


@pytest.fixture
def analysis(jobs, session, preferences, tmp_path):
    for name in ("anomaly", "other"):
        (tmp_path / name).mkdir()
        write_card(replace(CARD, id=name), tmp_path / name / "card.json")
    return analysis_of(jobs, session, preferences, tmp_path)


def test_with_nothing_open_every_model_says_so(jobs, preferences, analysis, tmp_path):
    empty = analysis_of(jobs, Session(), preferences, tmp_path)
    assert {(o.fits, o.why_not) for o in empty.offers()} == {(False, "no series is open")}


def test_offers_are_about_what_is_on_screen(analysis, session):
    assert [(offer.card.id, offer.fits) for offer in analysis.offers()] == [
        ("anomaly", True),
        ("other", True),
    ]
    session.series = replace(session.series, modality="CT")
    assert not any(offer.fits for offer in analysis.offers())


def test_a_request_says_everything_that_may_change_the_answer(analysis, jobs, session):
    analysis.run("anomaly", Choices(samples=9, alpha=0.25, seed=3, threads=2))
    request = jobs.last.args[0]
    assert (jobs.last.lane, jobs.last.work) == ("compute", "medview.learning.predict:run")
    assert (request.model, request.samples, request.alpha, request.seed) == ("anomaly", 9, 0.25, 3)
    assert request.volumes == {"t1": session.volume}
    (given,) = request.inputs
    assert (given.role, given.series, given.stack) == ("t1", "1.1", 0)
    assert (given.sha256, given.size) == ("abc", (24, 20, 16))
    assert request.age_years == pytest.approx(76, abs=0.01)
    assert (request.sex, request.threads, request.device) == ("F", 2, "auto")


@pytest.mark.parametrize(("part", "doubted"), [("KNEE", True), ("BRAIN", False), ("", False)])
def test_a_request_says_what_the_header_says_against_the_image(
    analysis, jobs, session, part, doubted
):
    session.series = replace(session.series, body_part=part)
    analysis.run("anomaly")
    notes = jobs.last.args[0].notes
    assert [note.code for note in notes] == ["OUTSIDE_TRAINING"] * doubted
    assert all(part in note.text for note in notes)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"description": "T1 mprage"}, ""),
        ({"description": "head"}, "no header says which weighting; taken for t1"),
        ({"description": "", "modality": ""}, "no header says that this is MR or which"),
        ({"description": "", "files": (Path("/x/sub-1_T1w.nii.gz"),)}, ""),
    ],
)
def test_a_request_says_that_no_header_tells_what_it_is(analysis, jobs, session, fields, says):
    session.series = replace(session.series, **fields)
    analysis.run("anomaly")
    notes = jobs.last.args[0].notes
    assert [note.code for note in notes] == ["MODALITY_DOUBTFUL"] * bool(says)
    assert all(note.text.startswith(says) for note in notes)


def test_settings_stand_behind_what_was_not_chosen(analysis, jobs, preferences):
    preferences.change(device="cpu", threads=1)
    analysis.run("anomaly", Choices(age_years=50.0, sex="M"))
    request = jobs.last.args[0]
    assert (request.device, request.threads) == ("cpu", 1)
    assert (request.age_years, request.sex) == (50.0, "M")


def test_the_seed_of_this_start_stands_behind_one_that_was_not_chosen(analysis, jobs, preferences):
    preferences.seed = 5
    analysis.run("anomaly", Choices(age_years=50.0))
    analysis.run("anomaly", Choices(seed=0))
    assert [job.args[0].seed for job in jobs.asked[-2:]] == [5, 0]


def test_a_result_takes_the_place_of_its_unfinished_maps(analysis, jobs, session):
    about = session.volume_id
    analysis.run("anomaly")
    jobs.last.send(block(0, [1.0]))
    result = result_about(about)
    jobs.last.finish(result)
    assert session.unfinished is None
    assert session.results == (result,)
    assert session.map("score") is result.maps[0]


def test_a_newer_result_of_a_model_replaces_the_older_and_no_other(analysis, jobs, session):
    about = session.volume_id
    first, other, second = (result_about(about, model=m) for m in ("anomaly", "other", "anomaly"))
    for result in (first, other, second):
        analysis.run(result.model)
        jobs.last.finish(result)
    assert session.results == (other, second)


def test_a_cancelled_run_leaves_nothing_of_itself(analysis, jobs, session):
    analysis.run("anomaly")
    jobs.last.send(block(0, [1.0]))
    session.tasks[0].cancel()
    assert session.unfinished is None
    assert session.maps == session.tasks == ()
    assert session.message is None


def test_a_cancelled_run_gives_the_older_result_back(analysis, jobs, session):
    result = result_about(session.volume_id)
    analysis.run("anomaly")
    jobs.last.finish(result)
    analysis.run("anomaly")
    jobs.last.send(block(0, [1.0]))
    assert session.map("score") is not result.maps[0]
    session.tasks[0].cancel()
    assert session.map("score") is result.maps[0]


def test_a_run_that_dies_leaves_a_sentence_and_no_maps(analysis, jobs, session):
    analysis.run("anomaly")
    jobs.last.send(block(0, [1.0]))
    jobs.last.fail(WorkerDied("The process that runs the models stopped (signal 11)"))
    assert session.maps == ()
    assert "stopped (signal 11)" in session.message.text


def test_asking_again_silences_the_first_run_and_takes_its_slices_away(analysis, jobs, session):
    analysis.run("anomaly")
    first = jobs.last
    first.send(block(0, [1.0]))
    analysis.run("anomaly", Choices(samples=20))
    assert session.unfinished is None
    first.send(block(1, [1.0]))
    first.finish(result_about(session.volume_id))
    assert session.maps == session.results == ()
    assert len(session.tasks) == 1


def test_a_result_that_comes_after_a_switch_waits_for_its_own_series(analysis, jobs, session):
    about = session.volume_id
    analysis.run("anomaly")
    jobs.last.send(block(0, [1.0]))
    on_screen(session, uid="2.2", volume=phantom("RAS"), sha256="other")
    assert session.layers == ()
    jobs.last.send(block(1, [1.0]))
    result = result_about(about)
    jobs.last.finish(result)
    assert session.layers == session.results == ()
    on_screen(session, uid="1.1", sha256="abc")
    assert session.results == (result,)


def test_the_same_series_with_other_pixels_gets_no_result(analysis, jobs, session):
    analysis.run("anomaly")
    about = session.volume_id
    on_screen(session, uid="1.1", sha256="changed on disk")
    jobs.last.finish(result_about(about))
    assert session.results == ()


def test_the_overlay_opens_with_a_run_unless_the_reader_has_said_no(analysis, session, preferences):
    preferences.change(show_overlay=False)
    analysis.run("anomaly")
    assert not session.overlay_on
    preferences.change(show_overlay=True)
    analysis.run("anomaly")
    assert session.overlay_on


def test_a_run_and_its_result_leave_every_view_alone(analysis, jobs, session):
    views = session.views
    analysis.run("anomaly")
    jobs.last.send(block(0, [1.0]))
    jobs.last.finish(result_about(session.volume_id))
    assert session.views is views


def test_a_new_result_brings_its_own_range_to_a_style_the_reader_has_set(analysis, jobs, session):
    session.styles = {"score": LayerStyle(range=(0, 5), threshold=1.0, opacity=0.3)}
    analysis.run("anomaly")
    jobs.last.finish(result_about(session.volume_id))
    style = session.style("score")
    assert (style.range, style.threshold, style.opacity) == ((0.0, 18.0), 6.0, 0.3)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("no-such", "There is no model called no-such."),
        (
            "anomaly",
            "Anomaly needs a T1 volume or slice; this is a CT series. Choose another series.",
        ),
    ],
)
def test_a_run_that_cannot_be_is_a_sentence(analysis, jobs, session, model, said):
    session.series = replace(session.series, modality="CT")
    assert analysis.run(model) is None
    assert (session.message.text, jobs.asked) == (said, [])


def test_a_series_whose_hash_is_not_known_yet_is_not_run(analysis, jobs, session):
    session.volume_id = None
    assert analysis.run("anomaly") is None
    assert "still being read" in session.message.text
    assert jobs.asked == []


def test_models_can_be_loaded_ahead(analysis, jobs):
    analysis.warm()
    assert (jobs.last.lane, jobs.last.args) == ("compute", ("medview.learning.predict",))


def test_running_and_waiting_asks_the_compute_child():
    class Calls:
        def call(self, lane, work, *args, progress=None):
            return lane, work, args

    asked = run_model(Calls(), "request")
    assert asked == ("compute", "medview.learning.predict:run", ("request",))


def test_evidence_of_a_film_stays_closed_until_it_is_asked_for(
    jobs, session, preferences, tmp_path
):
    outputs = (OutputSpec("severe", "score"), OutputSpec("evidence", "map"))
    (tmp_path / "cxr").mkdir()
    write_card(replace(CARD, id="cxr", outputs=outputs), tmp_path / "cxr" / "card.json")
    analysis_of(jobs, session, preferences, tmp_path).run("cxr")
    assert not session.overlay_on


def test_a_map_that_was_asked_for_is_shown_when_it_is_there(analysis, jobs, session):
    session.map_name, session.overlay_on = "evidence", False
    analysis.run("anomaly")
    jobs.last.finish(result_about(session.volume_id))
    assert (session.map_name, session.overlay_on) == ("score", True)
    session.overlay_on = False
    analysis.again("anomaly@1.0", maps=("epistemic",))
    assert jobs.last.args[0].maps == ("epistemic",)
    jobs.last.finish(result_about(session.volume_id, names=("score", "epistemic")))
    assert (session.map_name, session.overlay_on) == ("epistemic", True)


def test_a_run_again_keeps_the_other_choices(analysis, jobs):
    analysis.run("anomaly", Choices(samples=9, seed=3))
    analysis.again("anomaly@1.0", site="HH")
    request = jobs.last.args[0]
    assert (request.samples, request.seed, request.site) == (9, 3, "HH")


def test_what_runs_is_known_until_it_ends(analysis, jobs, session):
    about = session.volume_id
    analysis.run("anomaly")
    assert session.running == {(about, "anomaly@1.0")}
    jobs.last.cancel()
    assert session.running == frozenset()


def test_the_score_is_shown_where_the_map_on_screen_is_not_there_any_more(analysis, jobs, session):
    session.map_name = "evidence"
    analysis.run("anomaly")
    jobs.last.finish(result_about(session.volume_id))
    assert session.map_name == "score"


@pytest.mark.usefixtures("analysis")  # for its cards
def test_two_shipped_versions_of_a_model_are_told_apart(jobs, session, preferences, tmp_path):
    other = replace(CARD, id="other", version="1.0-lab")
    (tmp_path / "other-lab").mkdir()
    write_card(other, tmp_path / "other-lab" / "card.json")
    analysis = analysis_of(jobs, session, preferences, tmp_path)
    assert [analysis.key_of(card) for card in analysis.cards()] == [
        "anomaly",
        "other",
        "other@1.0-lab",
    ]
    analysis.run("other@1.0-lab")
    assert jobs.last.args[0].weights == str(tmp_path / "other-lab" / "weights.safetensors")
    made = replace(result_about(session.volume_id, model="other"), version="1.0-lab")
    jobs.last.finish(made)
    assert analysis.card_of(made) == other
    analysis.again("other@1.0-lab", site="HH")
    assert jobs.last.args[0].weights.endswith("other-lab/weights.safetensors")
    analysis.run("other")
    assert jobs.last.args[0].weights is None


@pytest.fixture
def lab(analysis, jobs, session, preferences, tmp_path):
    """The same services, with weights of the reader's own: version 1.0-lab of "other"."""
    folder = tmp_path / "own" / "other" / "1.0-lab"
    write_card(replace(CARD, id="other", version="1.0-lab"), folder / "card.json")
    weights = tmp_path / "shipped"
    write_card(replace(CARD, id="other"), weights / "other" / "card.json")
    own = tmp_path / "own"
    return analysis_of(jobs, session, preferences, weights, own), folder


def test_another_version_of_a_model_stands_beside_the_earlier_result(lab, jobs, session):
    analysis, folder = lab
    about = session.volume_id
    findings = [finding_at(1, (0, 0, 0), 3)]
    shipped = result_about(about, model="other", findings=findings)
    own = replace(shipped, version="1.0-lab")
    analysis.run("other")
    jobs.last.finish(shipped)
    analysis.run("other", Choices(weights=str(folder / "weights.safetensors"), samples=7))
    assert session.running == {(about, "other@1.0-lab")}
    jobs.last.finish(own)
    assert session.results == (shipped, own)
    assert analysis.card_of(own).version == "1.0-lab"
    assert session.finder is own
    session.opinions = {(about, shipped.key): ("to the shipped one",)}
    assert session.opinions.get((about, own.key)) is None
    analysis.again(own.key, seed=4)
    request = jobs.last.args[0]
    assert (request.samples, request.seed) == (7, 4)
    assert request.weights == str(folder / "weights.safetensors")
    jobs.last.finish(own)
    assert session.results == (shipped, own)


def test_a_result_of_an_earlier_start_is_run_again_as_it_was_made(lab, jobs, session):
    analysis, folder = lab
    told = {"samples": 9, "age_years": 61.0, "site": "HH", "maps": ["epistemic"]}
    made = replace(result_about(session.volume_id, model="other"), seed=5, parameters=told)
    own = replace(made, version="1.0-lab")
    session.predictions = {session.volume_id: (made, own)}
    for result, weights in ((made, None), (own, str(folder / "weights.safetensors"))):
        analysis.again(result.key, site="Guys")
        request = jobs.last.args[0]
        assert (request.samples, request.seed, request.age_years) == (9, 5, 61.0)
        assert (request.site, request.weights, request.maps) == ("Guys", weights, ("epistemic",))
