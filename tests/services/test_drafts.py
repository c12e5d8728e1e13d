import pytest
from services.stubs import StubJobs

from medview.domain.draft import Draft
from medview.domain.errors import WriteError
from medview.domain.progress import Silent
from medview.io.drafts import read_draft, write_draft
from medview.services.drafts import Drafts
from medview.services.session import Session

A, B = Draft(findings="a"), Draft(findings="b")


@pytest.fixture
def jobs():
    return StubJobs()


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def drafts(jobs, session, tmp_path):
    return Drafts(jobs, session, tmp_path)


def test_what_was_stored_before_comes_back(drafts, tmp_path):
    write_draft(Silent(), tmp_path, "1.2", A)
    assert drafts.of("1.2") == A
    assert drafts.of("3.4") == Draft()


def test_while_one_save_is_under_way_only_the_newest_words_wait(drafts, jobs, tmp_path):
    for words in ("a", "ab", "abc"):
        drafts.put("1.2", Draft(findings=words))
    (first,) = jobs.asked
    assert first.args == (tmp_path, "1.2", A)
    first.finish(None)
    assert jobs.asked[1].args == (tmp_path, "1.2", Draft(findings="abc"))
    jobs.last.finish(None)
    assert len(jobs.asked) == 2


def test_a_refusing_disk_is_told_once_and_tried_again(drafts, jobs, session):
    drafts.put("1.2", A)
    jobs.last.fail(WriteError("the disk is full", do="Free some space."))
    assert "would be lost" in session.message.text
    session.message = None
    drafts.put("1.2", B)
    jobs.last.fail(WriteError("the disk is full"))
    assert session.message is None
    assert drafts.of("1.2") == B


def test_what_is_not_stored_yet_is_stored_at_the_end(drafts, jobs, tmp_path):
    drafts.put("1.2", A)
    drafts.put("1.2", B)
    drafts.put("3.4", A)
    drafts.flush()
    assert (read_draft(tmp_path, "1.2"), read_draft(tmp_path, "3.4")) == (B, A)


def test_a_forgotten_draft_is_gone_here_and_on_the_disk(drafts, tmp_path):
    write_draft(Silent(), tmp_path, "1.2", A)
    assert drafts.of("1.2") == A
    drafts.forget("1.2")
    drafts.flush()
    assert drafts.of("1.2") == read_draft(tmp_path, "1.2") == Draft()


def test_a_draft_that_is_forgotten_while_it_is_written_does_not_come_back(drafts, jobs, tmp_path):
    drafts.put("1.2", A)
    saving = jobs.last
    drafts.forget("1.2")
    for job in (saving, None):
        work = job or jobs.last
        write_draft(Silent(), *work.args)
        work.finish(None)
    assert read_draft(tmp_path, "1.2") == Draft()
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_nothing_is_stored(jobs, session):
    drafts = Drafts(jobs, session, None)
    drafts.put("1.2", A)
    drafts.flush()
    drafts.forget("3.4")
    assert (drafts.of("1.2"), jobs.asked) == (A, [])
