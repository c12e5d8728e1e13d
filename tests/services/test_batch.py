"""Batches: outcomes, going on after a stop, engines."""

import shutil
import signal
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from services.stubs import CARD

from medview.domain.errors import ReadError, UsageError
from medview.services import batch, batch_cases, cluster
from medview.services.batch import Task, run_batch
from medview.services.batch_cases import Case
from medview.services.batch_outcome import Outcome
from medview.services.inputs import Wanted
from medview.services.running import RunOptions
from medview.stopping import Stopped

CASES = tuple(Case(name, Wanted()) for name in ("a", "b", "c"))


def unseen(done, total, text):
    """Progress that nobody reads."""


def test_tables_call_a_case_as_its_list_does_and_name_the_folder_that_could_not(tmp_path):
    cases = [Case(batch_cases._safe(name), Wanted(), title=name) for name in ("a/b", "../c", "d")]
    named = batch_cases._named_apart(cases)

    def engine(tasks):
        yield Outcome(tasks[0].case, ({"name": "age", "value": 1.0, "low": None, "high": None},))
        yield Outcome(tasks[1].case, code="MV-IO-001", what="cannot be read")

    out = tmp_path / "o"
    body = run_batch(engine, CARD, named, RunOptions(), out, resume=False, progress=unseen)
    assert [one["case"] for one in body["failed"]] == ["../c"]
    assert (out / "predictions.csv").read_text().splitlines() == [
        "case,patient,site,subset,age,age_low,age_high,folder",
        f"a/b,a/b,,,1.0,,,{named[0].name}",
    ]


@pytest.mark.parametrize(
    ("name", "private", "what"),
    [
        ("doe.nii", False, "doe.nii: ends early"),
        ("doe.nii", True, "ends early"),
        ("d\udcf6.nii", False, "d\ufffd.nii: ends early"),
    ],
)
def test_a_case_that_fails_names_its_file_unless_it_is_private(
    tmp_path, monkeypatch, name, private, what
):
    def fail(*given):
        raise ReadError("ends early", file=name)

    monkeypatch.setattr(batch, "run_case", fail)
    given = Case("a", Wanted(named=(("t1", tmp_path / "doe.nii"),)))
    task = Task(CARD, given, RunOptions(private=private), tmp_path / "a")
    assert batch.run_task(None, task).what == what


def test_a_case_whose_row_names_no_file_of_the_model_says_so(tmp_path):
    told = batch.run_task(None, Task(CARD, CASES[0], RunOptions(), tmp_path / "a"))
    assert (told.code, told.what) == ("MV-DAT-101", "its row names no t1 or t1ce file")


def test_outcomes_are_told_in_the_order_of_the_cases_whoever_is_first(tmp_path):
    score = {"name": "age", "value": 40.0, "low": None, "high": 50.0}

    def engine(tasks):
        yield Outcome(tasks[2].case, (score,))
        yield Outcome(tasks[1].case, code="MV-IO-001", what="cannot be read")
        yield Outcome(tasks[0].case, (score,))

    body = run_batch(
        engine, CARD, CASES, RunOptions(), tmp_path / "o", resume=False, progress=unseen
    )
    assert (body["done"], body["resumed"]) == (2, 0)
    assert [(one["case"], one["code"]) for one in body["failed"]] == [("b", "MV-IO-001")]
    assert (tmp_path / "o" / "predictions.csv").read_text().splitlines() == [
        "case,patient,site,subset,age,age_low,age_high",
        "a,a,,,40.0,,50.0",
        "c,c,,,40.0,,50.0",
    ]


def of_age(tmp_path, options, *, resume=True):
    """Run a batch of two cases whose inputs lie in `tmp_path`; the body, and which cases ran."""
    cases = [Case(n, Wanted(named=(("series", tmp_path / f"{n}.csv"),))) for n in ("a", "b")]
    ran = []

    def engine(tasks):
        for task in tasks:
            ran.append(task.case.name)
            task.out.mkdir(exist_ok=True)
            (task.out / "result.json").write_text('{"scores": [], "seconds": 1.0}')
            asked = batch._asked(task, task.case.wanted)
            yield Outcome(task.case, asked=asked)

    out = tmp_path / "o"
    return run_batch(engine, CARD, cases, options, out, resume=resume, progress=unseen), ran


@pytest.fixture
def inputs(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"Hours,HR\n1,8{ord(name)}\n")
    return tmp_path


def test_going_on_keeps_what_holds_and_runs_again_what_changed(inputs):
    assert of_age(inputs, RunOptions(), resume=False)[1] == ["a", "b"]
    body, ran = of_age(inputs, RunOptions())
    assert (ran, body["resumed"], body["redone"]) == ([], 2, [])
    (inputs / "b.csv").write_text("Hours,HR\n1,60\n")
    body, ran = of_age(inputs, RunOptions())
    assert (ran, body["resumed"]) == (["b"], 1)
    assert body["redone"] == [{"case": "b", "changed": ["inputs"]}]
    body, ran = of_age(inputs, RunOptions(age_years=50.0))
    assert (ran, [one["changed"] for one in body["redone"]]) == (["a", "b"], [["age"]] * 2)
    assert of_age(inputs, RunOptions(age_years=50.0))[1] == []


@pytest.mark.parametrize("words", ['{"scores":', "[]", '{"scores": []}'])
def test_a_result_that_cannot_be_read_is_made_again(inputs, words):
    of_age(inputs, RunOptions(), resume=False)
    (inputs / "o" / "a" / "result.json").write_text(words)
    body, ran = of_age(inputs, RunOptions())
    assert (ran, [one["case"] for one in body["redone"]]) == (["a"], ["a"])


def test_an_input_that_is_gone_is_not_taken_for_the_one_that_was(inputs):
    of_age(inputs, RunOptions(), resume=False)
    (inputs / "a.csv").unlink()
    body, ran = of_age(inputs, RunOptions())
    assert (ran, [one["case"] for one in body["redone"]]) == (["a"], ["a"])


def test_a_map_that_no_model_makes_is_refused_before_anything_runs(inputs):
    with pytest.raises(UsageError, match="makes no map called glow"):
        of_age(inputs, RunOptions(maps=("glow",)), resume=False)
    assert not (inputs / "o").exists()


@pytest.mark.parametrize(
    ("name", "own", "common"),
    [("age_years", 30.0, 60.0), ("sex", "F", "M"), ("site", "A", "B"), ("film_hour", 0.0, 24.0)],
)
def test_what_the_list_says_of_a_case_goes_before_the_options_of_all(name, own, common):
    task = Task(CARD, replace(CASES[0], **{name: own}), RunOptions(**{name: common}), Path())
    assert batch._asked(task, Wanted())[name] == own
    alone = replace(task, case=CASES[0])
    assert batch._asked(alone, Wanted())[name] == common


@pytest.mark.parametrize(
    ("settings", "common", "given"),
    [({}, None, None), ({}, "B", "B"), ({"sites": ["A"]}, None, "A"), ({"sites": ["A"]}, "B", "A")],
)
def test_a_site_of_the_list_goes_only_to_models_with_effects_of_sites(
    tmp_path, monkeypatch, settings, common, given
):
    options = []
    monkeypatch.setattr(
        batch, "run_case", lambda *words: options.append(words[3]) or {"scores": ()}
    )
    case = Case("a", Wanted(named=(("t1", tmp_path / "doe.nii"),)), site="A")
    card = replace(CARD, settings=settings)
    batch.run_task(None, Task(card, case, RunOptions(site=common), tmp_path / "a"))
    assert [each.site for each in options] == [given]


def test_each_worker_here_has_children_of_its_own_and_all_are_ended(monkeypatch):
    opened, together = [], threading.Barrier(2)

    class Children:
        def __init__(self, post):
            opened.append(self)
            self.is_closed = False

        def close(self):
            self.is_closed = True

    def run_task(jobs, task):
        if task.case.name != "c":
            together.wait(60)
        return Outcome(task.case, asked={"jobs": jobs, "threads": task.options.threads})

    monkeypatch.setattr(batch, "Jobs", Children)
    monkeypatch.setattr(batch, "run_task", run_task)
    tasks = [Task(CARD, case, RunOptions(threads=9), Path()) for case in CASES]
    found = list(batch.local_engine(2, 3)(tasks))
    assert sorted(one.case.name for one in found) == ["a", "b", "c"]
    assert {one.asked["threads"] for one in found} == {3}
    assert len(opened) == 2
    assert {one.asked["jobs"] for one in found} == set(opened)
    assert all(one.is_closed for one in opened)


def test_a_case_that_was_never_run_is_run_and_not_called_one_that_changed(inputs):
    of_age(inputs, RunOptions(), resume=False)
    shutil.rmtree(inputs / "o" / "b")
    body, ran = of_age(inputs, RunOptions())
    assert (ran, body["resumed"], body["redone"]) == (["b"], 1, [])


def test_a_stop_leaves_finished_cases_and_no_drafts_of_those_that_were_killed(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("medview.io.atomic._NEW_S", -1.0)
    out = tmp_path / "o"

    def engine(tasks):
        yield Outcome(CASES[0])
        (out / "a").mkdir()
        (out / ".medview-a1b2c3d4" / "draft").mkdir(parents=True)
        raise Stopped

    with pytest.raises(Stopped):
        run_batch(engine, CARD, CASES, RunOptions(), out, resume=False, progress=unseen)
    assert [item.name for item in out.iterdir()] == ["a"]


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Windows has no masks")
def test_ctrl_c_in_a_terminal_reaches_none_of_the_workers_of_a_cluster_here(monkeypatch):
    def masked():
        return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())

    monkeypatch.setattr(
        cluster, "_distributed", lambda: SimpleNamespace(Client=lambda **given: [masked()])
    )
    assert cluster._client(cluster._distributed(), None, 2) == [True]
    assert not masked()


def test_without_the_extra_a_cluster_is_refused_with_what_to_install(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(cluster, "import_module", missing)
    with pytest.raises(UsageError, match="not installed"):
        cluster.dask_engine(None, 2)


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    class Silent:
        @staticmethod
        def Client(*args, **options):  # noqa: N802
            raise OSError("timed out")

    monkeypatch.setattr(cluster, "import_module", lambda name: Silent)
    with pytest.raises(UsageError, match=r"no scheduler answers at tcp://127\.0\.0\.1:1"):
        list(cluster.dask_engine("tcp://127.0.0.1:1", 1)([]))
