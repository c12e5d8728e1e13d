from dataclasses import replace

import pytest
from result_phantom import card, exam, head, prediction_on

from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.prediction import Opinion
from medview.domain.signing import Signature, Statement
from medview.services import report_history
from medview.services.report_history import (
    history,
    is_final,
    signature_words,
    since,
    statements,
    status,
)
from medview.services.report_manifest import signatures_of
from medview.services.report_marks import Marked
from medview.services.report_material import Material, Outcome
from medview.services.report_text import ReaderText
from medview.services.reporting import build_report

AT = "2026-11-21T10:41:00+00:00"


@pytest.fixture(scope="module")
def material():
    outcome = Outcome(prediction_on(head()), card())
    return Material(exam(), None, (outcome,), ReaderText(findings="Two.", impression="Benign."))


def signed(material, by="Dr A", at=AT, **more):
    mine = Signature(by, "radiologist", at, "7c1e-0110", statements(material), **more)
    return replace(material, history=(*material.history, mine))


def section(report, title):
    return next((each for each in report.sections if each.title == title), None)


def test_signed_once_and_unchanged_is_final_and_says_who_and_when(material):
    made = build_report(signed(material))
    assert made.status == "FINAL"
    assert section(made, "Signatures and amendments") is None
    origin = dict(section(made, "Origin").table.rows)
    assert origin["Signature"] == "FINAL · Dr A, radiologist · signed 21 Nov 2026 10:41 UTC"


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (lambda m: replace(m, reader=replace(m.reader, impression="Malignant.")), "Impression"),
        (lambda m: replace(m, outcomes=()), "Results"),
        (
            lambda m: replace(
                m, outcomes=(replace(m.outcomes[0], opinions=(Opinion("finding 1", "agree"),)),)
            ),
            "Answers to the results",
        ),
        (
            lambda m: replace(m, marked=(Marked((KeyImage(Plane.AXIAL, 3),), (), exam()),)),
            "Key images and drawings",
        ),
    ],
)
def test_an_edit_after_signing_makes_an_amendment_that_is_a_draft(material, edit, what):
    edited = edit(signed(material))
    made = build_report(edited)
    assert made.status == status(edited) == "DRAFT AMENDMENT"
    rows = section(made, "Signatures and amendments").table.rows
    assert rows[0][0] == "21 Nov 2026 10:41 UTC"
    assert rows[0][1] == "Dr A, radiologist"
    assert rows[1][:2] == ("not signed yet", "not signed")
    assert rows[1][2].startswith(what)
    assert "not signed again" in dict(section(made, "Origin").table.rows)["Signature"]


def test_signed_again_it_is_amended_and_the_history_names_both(material):
    first = signed(material, content_sha256="ab" * 32)
    edited = replace(first, reader=replace(first.reader, impression="Malignant."))
    both = signed(edited, by="Dr B", at="2026-11-22T08:00:00+00:00")
    made = build_report(both)
    assert (made.status, since(both)) == ("AMENDED", ())
    assert section(made, "Signatures and amendments").table.rows == (
        (
            "21 Nov 2026 10:41 UTC",
            "Dr A, radiologist",
            "Signed. Report 7c1e-0110, content abababababab.",
        ),
        (
            "22 Nov 2026 08:00 UTC",
            "Dr B, radiologist",
            "Impression changed; before: “Benign.” Report 7c1e-0110.",
        ),
    )


def test_what_is_attached_names_no_words_and_still_tells_an_amendment(material):
    made = build_report(signed(material))
    assert "Benign" not in str(made.manifest)
    (kept,) = signatures_of(made.manifest)
    assert (kept.by, kept.at, kept.content_sha256) == ("Dr A", AT, made.content_sha256)
    words = replace(material.reader, impression="Malignant.")
    later = replace(material, history=(kept,), reader=words)
    assert since(material) == ()
    assert since(later) == ("Impression changed; the wording before is in the earlier report.",)


def test_signing_now_adds_a_signature_with_the_time_of_the_report(material):
    asked = replace(material, signer="Dr A", role="radiologist")
    made = build_report(asked, made_at=AT)
    assert made.status == "FINAL"
    (kept,) = signatures_of(made.manifest)
    assert (kept.at, kept.report_id) == (AT, made.report_id)
    again = build_report(asked)
    assert again.content_sha256 == made.content_sha256


def test_answers_to_two_versions_of_a_model_are_told_apart(material):
    (one,) = material.outcomes
    agree, reject = (Opinion("finding 1", verdict) for verdict in ("agree", "rejected"))
    other = replace(one, prediction=replace(one.prediction, version="ward"))

    def answered(first, second):
        outcomes = (replace(one, opinions=(first,)), replace(other, opinions=(second,)))
        return replace(material, outcomes=outcomes)

    first = signed(answered(agree, reject))
    (told,) = since(replace(first, outcomes=answered(reject, agree).outcomes))
    assert told.startswith("Answers to the results")
    # What was signed of a single version is known again by earlier words.
    alone = statements(replace(material, outcomes=(replace(one, opinions=(agree,)),)))
    assert Statement.of("Answers to the results", "anomaly finding 1 agree") in alone


@pytest.mark.parametrize("name", ["question", "comparison", "findings", "impression"])
def test_each_of_the_words_is_signed_under_its_name(name, material):
    first = signed(material)
    edited = replace(first, reader=replace(first.reader, **{name: "Other words."}))
    (told,) = since(edited)
    assert told.startswith(name.capitalize())
    assert since(first) == ()


@pytest.mark.parametrize(
    ("words", "final"),
    [
        ({"impression": "Benign."}, True),
        ({"in_one": True, "findings": "All in one."}, True),
        ({"findings": "Two."}, False),
    ],
)
def test_what_is_signed_needs_an_impression(words, final, material):
    asked = replace(material, reader=ReaderText(**words), signer="Dr A", role="")
    made = report_history.signed(asked)
    assert is_final(status(made)) is final
    assert [each.by for each in made.history] == ["Dr A"] * final
    expected = (
        "Dr A · signed at the time at the foot of each page"
        if final
        else "Dr A; a draft until there is an impression"
    )
    assert signature_words(made) == expected
    assert report_history.signed(replace(asked, signer="")).history == ()


def test_who_has_not_signed_is_not_named(material):
    assert (status(material), signature_words(material)) == ("DRAFT", "not signed")
    assert history(material) == ()
    assert not is_final(status(material))


def test_a_signature_without_a_time_has_that_of_the_pages(material):
    again = signed(signed(material), at="")
    (table,) = (each.table for each in history(again))
    assert table.headings == ("When", "Who", "What")
    assert table.rows[1][0] == "the time at the foot of each page"
    assert table.rows[1][2] == "Signed again without a change. Report 7c1e-0110."
    assert is_final(status(again))
