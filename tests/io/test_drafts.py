import os
import stat

import pytest

from medview.domain.draft import Draft
from medview.domain.errors import WriteError
from medview.domain.signing import Signature, Statement
from medview.io.drafts import draft_file, forget_draft, read_draft, write_draft

STUDY = "1.2.840.113619.2"
FULL = Draft(
    question="Why?",
    impression="Metastase – 転移 – ραγή",
    template="brain-mri",
    signatures=(
        Signature("Dr A", "radiologist", "2026-11-21T10:41:00+00:00", "7c1e-0110",
                  (Statement.of("Impression", "Metastase"),), "ab" * 32),
    ),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "results" / "drafts"


def test_a_draft_comes_back_as_it_was(folder):
    write_draft(folder, STUDY, FULL)
    assert read_draft(folder, STUDY) == FULL
    assert read_draft(folder, "1.2.3") == Draft()


def test_only_the_owner_can_read_it_and_its_name_tells_nothing(folder):
    write_draft(folder, STUDY, FULL)
    path = draft_file(folder, STUDY)
    assert STUDY not in path.name
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir()) == [path]


def test_drafts_of_earlier_versions_are_found(folder):
    assert draft_file(folder, STUDY).name == "b195e883694915601231237696055615.json"
    folder.mkdir(parents=True)
    draft_file(folder, STUDY).write_text(
        '{"schema": "medview.draft/1", "findings": "Two.", "signatures": [{"by": "Dr A"}]}'
    )
    assert read_draft(folder, STUDY) == Draft(findings="Two.", signatures=(Signature("Dr A"),))


def test_a_draft_that_cannot_be_deleted_is_told(folder, tmp_path):
    draft_file(folder, STUDY).mkdir(parents=True)
    with pytest.raises(WriteError, match="a draft cannot be deleted"):
        forget_draft(folder, STUDY)
    (tmp_path / "file").write_text("")
    forget_draft(tmp_path / "file", STUDY)  # below a file there is none


def test_an_empty_draft_and_a_forgotten_one_leave_nothing(folder):
    forget_draft(folder, STUDY)  # nothing there yet
    write_draft(folder, STUDY, FULL)
    write_draft(folder, STUDY, Draft())
    assert list(folder.iterdir()) == []
    write_draft(folder, STUDY, FULL)
    forget_draft(folder, STUDY)
    assert read_draft(folder, STUDY) == Draft()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": "x"}', '{"schema": "medview.draft/1", "signatures": [3]}']
)
def test_a_damaged_file_counts_as_no_draft(folder, text):
    folder.mkdir(parents=True)
    draft_file(folder, STUDY).write_text(text)
    assert read_draft(folder, STUDY) == Draft()


def test_what_was_kept_outlives_a_write_that_fails(folder, monkeypatch):
    write_draft(folder, STUDY, FULL)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("medview.io.atomic.os.replace", full)
    with pytest.raises(WriteError, match="the disk is full"):
        write_draft(folder, STUDY, Draft(question="other"))
    monkeypatch.undo()
    assert read_draft(folder, STUDY) == FULL
    assert len(list(folder.iterdir())) == 1


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="lies below a file"):
        write_draft(tmp_path / "file" / "drafts", STUDY, FULL)
