"""The audit trail: appended, sealed, and every way of changing it is found at its line."""

import json
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from medview.cli import main
from medview.domain.errors import ReadError, WriteError
from medview.domain.progress import Silent
from medview.io import trail
from medview.io.trail import FIRST, append, entries, verify
from medview.services import audit


@pytest.fixture
def chain(tmp_path):
    """A trail of five lines."""
    path = tmp_path / "home" / "audit.jsonl"
    for number in range(5):
        append(path, "ran", {"model": f"m{number}"}, "somebody")
    return path


def test_every_line_seals_the_one_before(chain):
    lines = entries(chain)
    assert [one["detail"]["model"] for one in lines] == ["m0", "m1", "m2", "m3", "m4"]
    assert lines[0]["before"] == FIRST
    assert [one["before"] for one in lines[1:]] == [one["hash"] for one in lines[:-1]]
    verdict = verify(chain)
    assert (verdict.holds, verdict.lines) == (True, 5)
    assert stat.S_IMODE(chain.stat().st_mode) == 0o600


def changed(lines):
    lines[2] = lines[2].replace("m2", "mX")
    return 3


def taken_out(lines):
    del lines[1]
    return 2


def put_in(lines):
    lines.insert(3, lines[0])
    return 4


def swapped(lines):
    lines[2], lines[3] = lines[3], lines[2]
    return 3


def garbled(lines):
    lines[4] = lines[4][:20]
    return 5


def sealed_anew(lines):
    """Somebody who knows the format seals a changed line again: the next one tells."""
    body = json.loads(lines[1])
    body["detail"] = {"model": "other"}
    body.pop("hash")
    from medview.io.trail import _hash

    lines[1] = json.dumps({**body, "hash": _hash(body)}, sort_keys=True)
    return 3


@pytest.mark.parametrize("way", [changed, taken_out, put_in, swapped, garbled, sealed_anew])
def test_the_first_broken_line_is_named(chain, way):
    lines = chain.read_text().splitlines()
    number = way(lines)
    chain.write_text("\n".join(lines) + "\n")
    verdict = verify(chain)
    assert (verdict.holds, verdict.broken) == (False, number)
    assert verdict.what


def test_a_trail_of_an_earlier_version_still_holds_and_goes_on(tmp_path):
    line = {
        "when": "2026-01-02T03:04:05+00:00", "who": "Dr Grey", "what": "ran", "before": "0" * 64,
        "detail": {"model": "anomaly@1.0", "ä": 1.5},
        "hash": "bcd17c29edc816d17a821b01dbfd7a35b8e4d225c6c19265b1c219f3207ed77d",
    }  # fmt: skip
    path = tmp_path / "audit.jsonl"
    path.write_text(json.dumps(line) + "\n")
    append(path, "ran", {})
    assert (verify(path).lines, verify(path).holds) == (2, True)
    assert entries(path)[1]["before"] == line["hash"]


def test_a_line_torn_by_a_kill_takes_no_other_with_it(chain):
    whole = chain.read_bytes()
    chain.write_bytes(whole[:-30])
    append(chain, "ran", {"model": "after"}, "somebody")
    assert [one["detail"]["model"] for one in entries(chain)] == ["m0", "m1", "m2", "m3", "after"]
    assert (verify(chain).broken, verify(chain).lines) == (5, 6)


def test_many_writers_keep_one_chain(tmp_path, monkeypatch):
    path = tmp_path / "audit.jsonl"
    read = trail._last_hash

    def slowly(path):
        found = read(path)
        time.sleep(0.002)  # long enough for another writer to come between
        return found

    monkeypatch.setattr(trail, "_last_hash", slowly)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: append(path, "ran", {"n": n}), range(40)))
    assert verify(path).holds
    assert {one["detail"]["n"] for one in entries(path)} == set(range(40))


def test_a_look_shows_the_newest_lines_and_checks_all_of_them(chain):
    lines, verdict = trail.look(Silent(), chain, 2)
    assert [each["detail"]["model"] for each in lines] == ["m3", "m4"]
    assert (verdict.lines, verdict.holds) == (5, True)
    first, *rest = chain.read_text().splitlines(keepends=True)
    chain.write_text("".join((first.replace("m0", "m9"), *rest)))
    lines, verdict = trail.look(Silent(), chain, 2)
    assert (len(lines), verdict.broken) == (2, 1)
    chain.write_text("".join((first, "torn\n", *rest[1:])))
    lines, verdict = trail.look(Silent(), chain)
    assert [each["what"] for each in lines][1] == "cannot be read"
    assert (len(lines), verdict.lines, verdict.broken) == (5, 5, 2)
    assert trail.look(Silent(), chain.with_name("none")) == ([], trail.Verdict(0))


def test_without_a_trail_there_is_nothing_to_verify(tmp_path):
    assert entries(tmp_path / "none") == []
    with pytest.raises(ReadError, match="no audit trail"):
        verify(tmp_path / "none")


def test_a_disk_that_refuses_is_told_and_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError):
        append(tmp_path / "file" / "audit.jsonl", "ran", {})
    assert audit.note("ran", {}, tmp_path / "file" / "audit.jsonl") is False


def test_the_command_shows_and_verifies(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path))

    def told(*words):
        code = main(["audit", *words, "--json"])
        return code, json.loads(capfd.readouterr().out)

    assert told()[1]["entries"] == []
    assert audit.note("opened", {"study": "1a2b"})
    code, body = told("--verify")
    assert (code, body["schema"], body["holds"]) == (0, "medview.audit/1", True)
    path = audit.trail_file()
    path.write_text(path.read_text().replace("1a2b", "9f9f"))
    code, body = told("--verify")
    assert (code, body["holds"], body["broken"]) == (1, False, 1)
