"""The commit in a result: read from a checkout, a work tree or an archive, without git."""

import pytest

from medview import __version__
from medview.io.code_version import version_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40
KNOWN = f"{__version__}+g0123456"


@pytest.fixture
def git(tmp_path):
    folder = tmp_path / "copy" / ".git"
    (folder / "refs" / "heads").mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    return folder


def test_a_branch(git):
    (git / "refs" / "heads" / "main").write_text(COMMIT + "\n")
    assert version_of(git.parent) == KNOWN


def test_a_commit_that_is_checked_out_without_a_branch(git):
    (git / "HEAD").write_text(COMMIT + "\n")
    assert version_of(git.parent) == KNOWN


def test_a_branch_among_packed_ones(git):
    lines = f"# pack-refs\n{OTHER} refs/heads/other\n{COMMIT} refs/heads/main\n^{OTHER}\n"
    (git / "packed-refs").write_text(lines)
    assert version_of(git.parent) == KNOWN


def test_a_loose_branch_is_newer_than_a_packed_one(git):
    (git / "refs" / "heads" / "main").write_text(COMMIT)
    (git / "packed-refs").write_text(f"{OTHER} refs/heads/main\n")
    assert version_of(git.parent) == KNOWN


def test_a_work_tree(git, tmp_path):
    (git / "refs" / "heads" / "main").write_text(COMMIT)
    own = git / "worktrees" / "second"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    (own / "commondir").write_text("../..\n")
    second = tmp_path / "second"
    second.mkdir()
    (second / ".git").write_text(f"gitdir: {own}\n")
    assert version_of(second) == KNOWN


def test_an_archive(tmp_path):
    (tmp_path / "packaging").mkdir()
    (tmp_path / "packaging" / "commit.txt").write_text(COMMIT + "\n")
    assert version_of(tmp_path) == KNOWN


@pytest.mark.parametrize("text", [None, "$Format:%H$\n", "no commit\n"])
def test_where_no_commit_is_known_the_version_stands_alone(tmp_path, text):
    if text is not None:
        (tmp_path / "packaging").mkdir()
        (tmp_path / "packaging" / "commit.txt").write_text(text)
    assert version_of(tmp_path) == __version__


def test_a_repository_without_a_commit(git):
    assert version_of(git.parent) == __version__
