"""Only regular files are opened, each once, wherever links may lead."""

from __future__ import annotations

import errno
import io
import os
import socket
from pathlib import Path

import pytest
from dicom_files import catalogue, save, stack

from medview.domain.errors import ReadError
from medview.io import sources
from medview.io.sources import (
    find_files,
    is_there,
    open_binary,
    read_from,
    read_head,
    read_into,
    size_of,
)


def names(*paths: Path) -> list[str]:
    return [path.name for path in find_files(paths)]


def test_files_come_once_and_sorted_from_any_depth(tmp_path):
    for name in ("b", "a", "deep/er/c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert names(tmp_path) == ["a", "b", "c"]


def test_what_is_no_regular_file_is_left_out_without_being_opened(tmp_path):
    save(stack()[:1], tmp_path)
    os.mkfifo(tmp_path / "pipe.dcm")
    (tmp_path / "folder.dcm").mkdir()
    (tmp_path / "dangling.dcm").symlink_to(tmp_path / "nowhere")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.dcm"))
        found = catalogue(tmp_path)
    assert (found.files, found.read) == (1, 1)


def test_folders_are_followed_down_to_a_depth_and_no_further(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_FOLDER_DEPTH", 2)
    for folder in (".", "1", "1/2", "1/2/3"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"in {folder[-1]}").write_text("x")
    assert sorted(names(tmp_path)) == ["in .", "in 1", "in 2"]


def test_links_in_circles_end(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_text("x")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused(path):
    with pytest.raises(ReadError) as caught:
        list(find_files((Path(path),)))
    assert caught.value.code == "MV-IO-003"


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReadError, match="no regular file"):
        open_binary(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["gone", "gone/deeper", "a\0b"])
def test_what_is_not_there_is_named(name, tmp_path):
    with pytest.raises(ReadError) as caught:
        list(find_files((tmp_path / name,)))
    assert caught.value.code == "MV-IO-002"
    assert not is_there(tmp_path / name)


def test_a_file_below_a_file_is_not_there(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ReadError):
        size_of(tmp_path / "file" / "x")


def test_only_the_beginning_is_read(tmp_path):
    (tmp_path / "file").write_bytes(b"0123456789")
    assert read_head(tmp_path / "file", 4) == b"0123"
    assert size_of(tmp_path / "file") == 10


class Halting(io.RawIOBase):
    """A file that gives three bytes at a time."""

    def __init__(self, data):
        self.file = io.BytesIO(data)

    def seek(self, offset, whence=0):
        return self.file.seek(offset, whence)

    def read(self, size=-1):
        return self.file.read(min(size, 3))

    def readinto(self, out):
        return self.file.readinto(out[:3])


@pytest.mark.parametrize("kind", [Halting, io.BytesIO])
@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [(0, 4, b"0123"), (3, 7, b"3456789"), (8, 9, b"89"), (10, 3, b""), (2, 0, b"")],
)
def test_bytes_are_read_from_their_place_until_the_end(kind, offset, size, expected):
    file, path, out = kind(b"0123456789"), Path("f"), bytearray(size)
    assert read_from(file, path, offset, size) == expected
    assert read_into(file, path, offset, memoryview(out)) == len(expected)
    assert out == expected.ljust(size, b"\0")


class Failing(io.RawIOBase):
    """A file on a disk that fails."""

    def seek(self, offset, whence=0):
        raise OSError(errno.EIO, "Input/output error")


def test_a_disk_that_fails_is_said_with_the_name_of_the_file():
    for read in (
        lambda: read_from(Failing(), Path("a/x.dcm"), 0, 4),
        lambda: read_into(Failing(), Path("a/x.dcm"), 0, memoryview(bytearray(4))),
    ):
        with pytest.raises(ReadError, match=r"^x\.dcm: cannot be read \(input/output error\)"):
            read()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_stops_no_other(tmp_path):
    save(stack(), tmp_path)
    next(tmp_path.iterdir()).chmod(0)
    found = catalogue(tmp_path)
    assert [item.code for item in found.skipped] == ["MV-IO-005"]


def test_a_folder_that_may_not_be_read_is_told_and_stops_no_other(tmp_path, monkeypatch):
    save(stack()[:1], tmp_path)
    save(stack()[:1], tmp_path / "locked")
    scandir = os.scandir

    def guarded(folder):
        if Path(folder).name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    found = catalogue(tmp_path)
    assert (found.files, found.read) == (2, 1)
    assert [item.file for item in found.skipped] == ["locked"]
