import pytest

from medview.domain.errors import ReadError, WorkerDied
from medview.services.session import Session
from medview.services.tasks import Answers, Errand, Tasks, mark_silent


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def tasks(jobs, session):
    return Tasks(jobs, session)


def errand(title="Reading headers", key=None):
    return Errand(title, "files", "some.module:work", (1, 2), about="T1", key=key)


def test_a_task_is_listed_while_it_runs(tasks, jobs, session):
    tasks.run(errand())
    assert [(task.title, task.total) for task in session.tasks] == [("Reading headers", 0)]
    jobs.last.report(96, 155, "slice 96 / 155", seconds_left=8.0)
    task = session.tasks[0]
    assert (task.done, task.total, task.text) == (96, 155, "slice 96 / 155")
    assert task.seconds_left == 8.0
    jobs.last.finish(None)
    assert session.tasks == ()


def test_the_answer_is_given_after_the_line_is_gone(tasks, jobs, session):
    seen = []
    tasks.run(errand(), Answers(lambda answer: seen.append((answer, session.tasks))))
    jobs.last.finish(42)
    assert seen == [(42, ())]


def test_an_error_becomes_a_message_that_names_what_it_is_about(tasks, jobs, session):
    tasks.run(errand())
    jobs.last.fail(WorkerDied("The process stopped (signal 11)", do="Try again."))
    assert session.message.text == "T1: The process stopped (signal 11). Try again."
    assert session.message.kind == "error"


def test_an_error_that_names_a_file_keeps_that_name(tasks, jobs, session):
    failed = []
    tasks.run(errand(), Answers(failed=failed.append))
    jobs.last.fail(ReadError("ends early", file="IM12.dcm"))
    assert session.message.error.file == "IM12.dcm"
    assert failed == [session.message.error]


def test_a_cancel_from_the_status_bar_is_no_message(tasks, jobs, session):
    failed = []
    tasks.run(errand(), Answers(failed=failed.append))
    session.tasks[0].cancel()
    assert jobs.last.is_over
    assert session.tasks == ()
    assert session.message is None
    assert len(failed) == 1


def test_a_newer_errand_with_the_same_key_takes_the_line_of_the_older(tasks, jobs, session):
    heard = []
    tasks.run(errand("old", key="show"), Answers(heard.append, heard.append))
    tasks.run(errand("other"))
    tasks.run(errand("new", key="show"))
    assert [task.title for task in session.tasks] == ["other", "new"]
    jobs.asked[0].finish("late")
    assert heard == []


def test_an_errand_can_be_dropped_by_its_key(tasks, jobs, session):
    tasks.run(errand(key="show"))
    tasks.drop("show")
    assert jobs.last.is_over
    assert session.tasks == ()


def test_a_job_that_says_nothing_is_marked_until_it_speaks_again(tasks, jobs, session):
    other = Tasks(jobs, session)
    job = tasks.run(errand())
    other.run(errand())
    mark_silent(session, job)
    assert [task.is_silent for task in session.tasks] == [True, False]
    jobs.asked[0].report(1, 2)
    assert not session.tasks[0].is_silent


def test_the_lines_of_two_services_are_told_apart(tasks, jobs, session):
    Tasks(jobs, session).run(errand("first"))
    tasks.run(errand("second"))
    jobs.asked[0].finish(None)
    assert [task.title for task in session.tasks] == ["second"]
