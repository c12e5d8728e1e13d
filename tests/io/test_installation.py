"""The program's own folder, and keys that hang on the secret in it."""

import errno
import multiprocessing
import os
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from at_once import KINDS, ROUNDS, met_at, starting

from medview.io import installation
from medview.io.identity import former_key, patient_key
from medview.io.installation import SECRET, home, keyed

ASK = "from medview.io.identity import patient_key; print(patient_key('P1', 'Test^Case'))"


@pytest.fixture(autouse=True)
def _moved(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))


def test_the_home_can_be_moved(monkeypatch, tmp_path):
    assert home() == tmp_path / "home"
    monkeypatch.delenv("MEDVIEW_HOME")
    assert home().name == "medview"


def test_an_account_without_a_home_gets_a_folder_that_goes_again(tmp_path):
    ask = (
        "import platformdirs; platformdirs.user_data_dir = lambda *_: '~/.local/share/medview'\n"
        "from medview.io.installation import home, keyed\n"
        "import os, subprocess, sys\n"
        "keyed(b'x'); print(home(), os.environ['MEDVIEW_HOME'], home().is_dir(), sep='|')\n"
    )
    known = {name: value for name, value in os.environ.items() if name != "MEDVIEW_HOME"}
    known["PYTHONPATH"] = os.getcwd()
    found = subprocess.run(
        [sys.executable, "-c", ask], cwd=tmp_path, env=known, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    place, told, is_there = found.stdout.strip().split("|")
    assert (place, is_there) == (told, "True")
    assert not os.path.exists(place)
    assert list(tmp_path.iterdir()) == []


def test_the_secret_is_made_once_and_for_the_owner_alone():
    first = keyed(b"x")
    path = home() / SECRET
    before = path.read_bytes()
    assert len(before.strip()) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home().stat().st_mode) == 0o700
    installation._secret.cache_clear()
    assert keyed(b"x") == first != keyed(b"y")
    assert path.read_bytes() == before
    assert os.listdir(home()) == [SECRET]


def test_keys_are_the_same_in_another_process_and_others_at_another_installation(
    monkeypatch, tmp_path
):
    def asked():
        done = subprocess.run(
            [sys.executable, "-c", ASK], capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout.strip()

    here = patient_key("p1", "TEST^CASE")
    assert asked() == here
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "elsewhere"))
    assert asked() == patient_key("P1", "Test^Case") != here
    # Who takes the secret along keeps the keys.
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / SECRET).write_bytes((tmp_path / "home" / SECRET).read_bytes())
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "third"))
    assert patient_key("P1", "Test^Case") == here


def test_a_key_says_nothing_without_the_secret():
    assert len(patient_key("P1", "A^B")) == len(former_key("P1", "A^B")) == 8
    assert patient_key("P1", "A^B") != former_key("P1", "A^B")


def test_many_at_once_agree_on_one_secret(tmp_path):
    place = tmp_path / "many" / SECRET
    place.parent.mkdir()

    def made(_):
        installation._make(place)
        return place.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        [secret] = set(pool.map(made, range(24)))
    assert len(secret.strip()) == 64
    assert os.listdir(place.parent) == [SECRET]


def test_programs_that_start_at_once_agree_on_one_secret(tmp_path):
    made = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, made, met_at, (made.Barrier(3),)) as pool:
        asked = [pool.submit(starting, tmp_path) for _ in range(3)]
        keys = set().union(*(each.result(120) for each in asked))
    assert len(keys) == ROUNDS * len(KINDS)
    assert {tuple(os.listdir(folder)) for folder in tmp_path.iterdir()} == {(SECRET,)}


def test_a_torn_secret_is_made_anew():
    home().mkdir()
    (home() / SECRET).write_bytes(b"ab")
    keyed(b"x")
    assert len((home() / SECRET).read_bytes().strip()) == 64


def test_a_disk_without_links_takes_the_secret_too(monkeypatch):
    def refuse(*given):
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    keyed(b"x")
    assert os.listdir(home()) == [SECRET]


def test_where_the_disk_refuses_keys_are_still_the_same_in_all_processes(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "file"))
    first = keyed(b"x")
    installation._secret.cache_clear()
    assert keyed(b"x") == first
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "file" / "deeper"))
    assert keyed(b"x") == first


def test_a_disk_that_fills_while_the_secret_is_written_keeps_no_piece_of_it(monkeypatch):
    def full(*given):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    assert len(keyed(b"x")) == 64
    assert os.listdir(home()) == []
