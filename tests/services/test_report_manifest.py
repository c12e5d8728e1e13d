"""What is attached to a report for machines."""

import json
import re
from dataclasses import replace

import pytest
from result_phantom import exam, head, prediction_on

from medview.domain.prediction import Opinion
from medview.domain.report import Report
from medview.domain.signing import Signature, Statement
from medview.services.report_manifest import manifest_of, new_report_id, signatures_of
from medview.services.report_material import Material, Outcome


def test_names_of_reports_are_short_and_differ():
    made = {new_report_id() for _ in range(20)}
    assert len(made) == 20
    assert all(re.fullmatch("[0-9a-f]{4}-[0-9a-f]{4}", one) for one in made)


@pytest.fixture(scope="module")
def result():
    return prediction_on(head())


def attached(result, *, private=False, history=()):
    said = (Opinion("finding 1", "agree", by="Dr. Reader", at="2026-03-14T10:00:00+00:00"),)
    outcomes = (Outcome(result, None, "cd" * 32, said),)
    material = Material(exam(), outcomes=outcomes, private=private, history=history)
    report = Report("Title", (), (), (), "1234-abcd", "DRAFT", "2026-03-14T11:00:00+00:00")
    return json.loads(json.dumps(manifest_of(material, report, "ef" * 32), allow_nan=False))


def test_runs_stand_there_with_their_hashes_and_what_the_reader_said(result):
    found = attached(result)
    assert (found["report_id"], found["content_sha256"]) == ("1234-abcd", "ef" * 32)
    (one,) = found["results"]
    assert one["file_sha256"] == "cd" * 32
    assert one["result"]["model"] == result.model
    assert one["opinions"][0]["by"] == "Dr. Reader"
    assert found["signatures"] == []


def test_in_private_neither_reader_nor_study_is_named(result):
    (one,) = attached(result, private=True)["results"]
    assert one["opinions"][0]["by"] == ""
    assert {(item["study"], item["series"]) for item in one["result"]["inputs"]} == {(None, None)}
    assert {made["grid"]["frame_of_reference"] for made in one["result"]["maps"]} == {""}


def test_a_signature_is_kept_by_the_hashes_of_its_words_and_comes_back(result):
    words = Statement.of("Impression", "No lesion.")
    earlier = Signature("Dr. Before", at="2026-03-13T09:00:00+00:00", report_id="0000-0001",
                        statements=(words,), content_sha256="aa" * 32)  # fmt: skip
    found = attached(result, history=(earlier, Signature("Dr. Now", about="of these pixels")))
    assert "No lesion." not in json.dumps(found)
    first, second = signatures_of(found)
    assert first == replace(earlier, statements=(replace(words, text=""),))
    assert (second.report_id, second.content_sha256) == ("1234-abcd", "ef" * 32)
    assert (second.at, second.about) == ("2026-03-14T11:00:00+00:00", "")
