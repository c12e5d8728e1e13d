"""What is written down of what was done."""

import getpass

import pytest
from services.stubs import result_about

from medview.domain.errors import WriteError
from medview.io.trail import Verdict, entries
from medview.services import audit
from medview.services.session_values import VolumeId


def test_a_deed_is_a_line_of_the_account_and_a_disk_that_refuses_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "grey")
    path = tmp_path / "audit.jsonl"
    assert audit.note("exported", {"kind": "dicom"}, path)
    (line,) = entries(path)
    assert (line["what"], line["who"], line["detail"]) == ("exported", "grey", {"kind": "dicom"})
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    assert not audit.note("exported", {}, blocked)
    with pytest.raises(WriteError):
        audit.put_down("exported", {}, blocked)


def test_an_account_without_a_name_is_nobody(tmp_path, monkeypatch):
    def nameless():
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    path = tmp_path / "audit.jsonl"
    assert audit.note("signed", {}, path)
    assert entries(path)[0]["who"] == ""


def test_a_result_and_its_file_are_told_alike():
    made = result_about(VolumeId("1.1#0", "abc"))
    body = {
        "model": "anomaly",
        "version": "1.0",
        "weights_sha256": "",
        "inputs": [{"sha256": "abc", "series": "1.1"}],
    }
    told = {"model": "anomaly@1.0", "weights_sha256": "", "inputs": ["abc"]}
    assert audit.of_result(made) == audit.of_result(body) == told


def test_details_are_one_line_without_what_is_empty():
    detail = {"model": "anomaly@1.0", "weights_sha256": "", "inputs": ["ab", "cd"], "worse": []}
    assert audit.in_words(detail) == "model anomaly@1.0, inputs ab and cd"
    told = {"maps": {"score": 2.2386, "residual": 0.004}}
    assert audit.in_words(told) == "maps score 2.2386 and residual 0.004"


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict(3), "3 lines: the trail is whole"),
        (Verdict(1), "1 line: the trail is whole"),
        (Verdict(3, 2, "was changed after it was written"), "3 lines: line 2 was changed after"),
    ],
)
def test_a_broken_trail_names_its_first_wrong_line(verdict, said):
    assert audit.broken_words(verdict).startswith(said)
