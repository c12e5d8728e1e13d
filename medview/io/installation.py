"""The folder that is the program's own, and the secret of this installation in it."""

from __future__ import annotations

import atexit
import getpass
import hashlib
import hmac
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import platformdirs

from medview.io.atomic import own_folder

if sys.platform != "win32":
    import fcntl

SECRET = "installation.key"
_DIGITS = 64


def home() -> Path:
    """The folder that is ours: ``MEDVIEW_HOME``, else where the system keeps such things."""
    chosen = os.environ.get("MEDVIEW_HOME")
    usual = Path(chosen or platformdirs.user_data_dir("medview", False))
    # An account without a home has "~" there, which would be a folder of whatever place one is in.
    return usual if chosen or usual.is_absolute() else _without_home()


@cache
def _without_home() -> Path:
    """A folder of this start alone, which its children find, too, and which goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="medview-"))
    os.environ["MEDVIEW_HOME"] = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def keyed(text: bytes) -> str:
    """What stands for a text at this installation: 64 hex digits of an HMAC-SHA256.

    The same in every process and every start; who does not have the secret cannot find out by
    trying which text it was, and nothing links it to what another installation says.
    """
    return hmac.new(_secret(home()), text, hashlib.sha256).hexdigest()


@cache
def _secret(folder: Path) -> bytes:
    """The secret of the installation in a folder, made where there is none.

    Where the disk refuses, what tells this machine and account from others takes its place: it
    is the same in all processes, but could be found out at this machine.
    """
    path = folder / SECRET
    with suppress(OSError):
        if not _is_whole(path):
            own_folder(folder)
            with _alone(folder):
                if not _is_whole(path):  # nor made by another process meanwhile
                    path.unlink(missing_ok=True)  # torn by a crash of the machine
                    _make(path)
        return path.read_bytes().strip()
    return _of_machine()


def _is_whole(path: Path) -> bool:
    try:
        return len(path.read_bytes().strip()) >= _DIGITS
    except FileNotFoundError:
        return False


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time, where the system and the disk can hold a folder."""
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _make(path: Path) -> None:
    """Write a new secret, for the owner alone; of two processes at once the first one's stays."""
    draft = path.with_name(f".{SECRET}-{secrets.token_hex(4)}")
    try:
        _fill(draft)
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # a disk without links, or a full one
        if not _is_whole(draft):
            raise
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _fill(draft: Path) -> None:
    file = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(file, f"{secrets.token_hex(_DIGITS // 2)}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)


def _of_machine() -> bytes:
    parts = []
    for place in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with suppress(OSError):
            parts.append(Path(place).read_text("utf-8", "replace").strip())
    with suppress(OSError, KeyError, ImportError):
        parts.append(getpass.getuser())
    return hashlib.sha256("\0".join(["medview", *parts]).encode()).digest()
