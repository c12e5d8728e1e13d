"""What is asked before the window closes."""

import pytest

from medview.services.printing import REPORT_TITLE
from medview.services.session_values import Task
from medview.ui import closing
from medview.ui.closing import may_close, work_under_way


@pytest.fixture
def asked(monkeypatch):
    texts = []
    monkeypatch.setattr(closing, "ask", lambda parent, text, *_: bool(texts.append(text)))
    return texts


def running(bench, *titles):
    bench.session.tasks = tuple(Task(n, title, print) for n, title in enumerate(titles))


@pytest.mark.parametrize("titles", [(), ("Reading headers", "Reading T1")])
def test_what_can_be_done_again_at_once_is_not_asked_about(bench, asked, titles):
    running(bench, *titles)
    assert may_close(bench.app)
    assert asked == []
    running(bench)


@pytest.mark.parametrize("title", ["Anomaly", REPORT_TITLE])
def test_work_that_would_be_lost_is_asked_about_by_name(bench, asked, title):
    running(bench, "Reading headers", title)
    assert [task.title for task in work_under_way(bench.app)] == [title]
    assert not may_close(bench.app)
    assert asked == [f"{title} is still running. Stop it and close?"]
    running(bench)
