"""``medview report`` on a real result folder, through the real child process."""

import hashlib
import json
import re
from dataclasses import replace

import pytest
from pypdf import PdfReader
from result_phantom import SHA, exam, head, prediction_on

from medview import RESEARCH_USE
from medview.cli import main
from medview.domain.prediction import InputRef
from medview.domain.progress import Silent
from medview.io import nifti, readers
from medview.io.hashing import volume_sha256
from medview.io.results import write_prediction

pytestmark = pytest.mark.usefixtures("lasting_children")

JOB = Silent()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    nifti.write(head(), folder / "brain.nii.gz")
    return folder


@pytest.fixture(scope="module")
def result(tmp_path_factory, study):
    """A result folder about the study."""
    (series,) = readers.scan(JOB, (study,)).all_series()
    digest = volume_sha256(readers.load(JOB, series))
    about = InputRef("t1", series.study_uid, series.uid, series.stack, digest, series.size)
    folder = tmp_path_factory.mktemp("result") / "out"
    write_prediction(JOB, replace(prediction_on(head()), inputs=(about,)), folder, head(), exam())
    return folder


def answer(capfd, *words):
    code = main(["report", *map(str, words), "--json"])
    return code, json.loads(capfd.readouterr().out)


def text_of(path):
    pages = PdfReader(path).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def test_a_report_is_a_pdf_and_nothing_else_by_name(result, tmp_path, capfd):
    code, told = answer(capfd, result, "--out", tmp_path / "r.docx")
    assert (code, told["schema"]) == (2, "medview.error/1")
    assert "no .docx file is written here; end the name in .pdf" in told["what"]
    assert list(tmp_path.iterdir()) == []


def test_a_result_folder_becomes_a_report(result, tmp_path, capfd):
    out = tmp_path / "r.pdf"
    code, told = answer(capfd, result, "--out", out)
    assert code == 0
    assert told["schema"] == "medview.report/1"
    assert told["file"] == "r.pdf"
    assert told["pages"] == len(PdfReader(out).pages) == 2
    assert told["status"] == "DRAFT"
    source = (result / "result.json").read_bytes()
    assert told["results"] == [hashlib.sha256(source).hexdigest()]
    text = text_of(out)
    for expected in (RESEARCH_USE, SHA, told["report_id"], told["content_sha256"][:12], "DRAFT"):
        assert expected in text
    assert "Doe" not in text  # the folder does not know who it is


def test_words_study_and_signature_make_it_final_and_it_verifies(result, study, tmp_path, capfd):
    words = tmp_path / "words.md"
    words.write_text("# Findings\nLesion on the left.\n# Impression\nUnclear.\n", "utf-8")
    out = tmp_path / "r.pdf"
    options = ("--paper", "letter", "--findings", words, "--sign", "Dr A", "--study", study)
    code, told = answer(capfd, result, "--out", out, *options)
    assert (code, told["status"], told["notes"]) == (0, "FINAL", [])
    text = text_of(out)
    assert "Lesion on the left." in text
    assert "Dr A" in text
    assert "brain" in text  # the series as the study names it
    assert round(PdfReader(out).pages[0].mediabox.width) == 612
    code, told = answer(capfd, "--verify", out)
    assert code == 0
    assert told == {
        "schema": "medview.verify/1", "holds": True, "hash_ok": True, "rerun": False,
        "differences": [], "report_id": told["report_id"],
    }  # fmt: skip


def test_an_amendment_prints_who_signed_before_and_what_is_different(result, tmp_path, capfd):
    words, first, second = tmp_path / "words.md", tmp_path / "1.pdf", tmp_path / "2.pdf"
    words.write_text("# Impression\nBenign.\n", "utf-8")
    options = ("--template", "images", "--findings", words, "--sign")
    _, told = answer(capfd, result, "--out", first, *options, "Dr A", "--role", "radiologist")
    assert told["status"] == "FINAL"
    words.write_text("# Impression\nMalignant.\n", "utf-8")
    code, again = answer(capfd, result, "--out", second, *options, "Dr B", "--amends", first)
    assert (code, again["status"]) == (0, "AMENDED")
    text = text_of(second)
    for expected in ("Dr A, radiologist", told["report_id"], told["content_sha256"][:12], "Dr B"):
        assert expected in text
    assert "Impression changed; the wording before is in the earlier report." in text
    draft = tmp_path / "draft.pdf"
    answer(capfd, result, "--out", draft, "--template", "images")
    code, refused = answer(capfd, result, "--out", tmp_path / "3.pdf", "--amends", draft)
    assert (code, refused["what"]) == (3, "was never signed, so there is nothing to amend")


def test_a_changed_report_answers_no(result, tmp_path, capfd):
    out = tmp_path / "r.pdf"
    answer(capfd, result, "--out", out, "--template", "images")
    import pikepdf

    with pikepdf.open(out, allow_overwriting_input=True) as pdf:
        pdf.pages[0].contents_add(b"0 0 100 100 re f")
        pdf.save(out)
    code, told = answer(capfd, "--verify", out)
    assert (code, told["holds"], told["hash_ok"]) == (1, False, False)
    assert main(["report", "--verify", str(out)]) == 1
    assert "was changed after it was written" in capfd.readouterr().out


def test_a_signature_without_an_impression_is_answered_with_no_and_a_draft(result, tmp_path, capfd):
    words = tmp_path / "f.md"
    words.write_text("# Findings\nNone.\n# Impression\n \n")
    options = ("--template", "images", "--sign", "Dr A", "--findings", words)
    code, told = answer(capfd, result, "--out", tmp_path / "r.pdf", *options)
    assert (code, told["status"]) == (1, "DRAFT")
    assert "impression" in told["notes"][0]
    assert "DRAFT" in text_of(tmp_path / "r.pdf")


def test_a_signed_report_is_not_written_over_and_a_draft_is(result, tmp_path, capfd):
    words, out = tmp_path / "f.md", tmp_path / "r.pdf"
    words.write_text("# Impression\nBenign.\n", "utf-8")
    plain = ("--out", out, "--template", "images")
    assert answer(capfd, result, *plain)[0] == 0
    code, signed = answer(capfd, result, *plain, "--sign", "Dr A", "--findings", words)
    assert (code, signed["status"]) == (0, "FINAL")
    before = out.read_bytes()
    code, refused = answer(capfd, result, *plain)
    assert (code, refused["file"]) == (2, "r.pdf")
    assert refused["what"] == "is a report that is signed, and is not written over"
    assert "another name" in refused["do"]
    assert out.read_bytes() == before


def test_a_study_alone_becomes_a_report_without_results(study, tmp_path, capfd):
    code, told = answer(capfd, study, "--out", tmp_path / "r.pdf", "--private")
    assert (code, told["results"]) == (0, [])
    assert "No model has been run on this study." in text_of(tmp_path / "r.pdf")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ((), 2, "a report needs a source and a file to write"),
        (("{result}",), 2, "a report needs a source and a file to write"),
        (("{result}", "--verify", "r.pdf"), 2, "either written or verified"),
        (("--verify", "r.pdf", "--sign", "Dr A"), 2, "verified; --sign writes one"),
        (("{result}", "--out", "{out}", "--amends", "{out}"), 2, "is the file that is read"),
        (("{result}", "--out", "{out}", "--sign", " "), 2, "the name to sign with is empty"),
        (("{result}", "--out", "{out}", "--template", "x"), 2, "no report template 'x'"),
        (("{result}", "--out", "{out}", "--findings", "none.md"), 3, "none.md: does not exist"),
        (("{result}", "--out", "{out}", "--role", "reader"), 2, "a role is told of who signs"),
        (("{result}/nowhere", "--out", "{out}"), 3, "nowhere"),
        (("--verify", "nowhere.pdf"), 3, "nowhere.pdf: cannot be read"),
        (("{result}", "--out", "{result}/result.json/r.pdf"), 4, "lies below a file"),
        (("{result}", "--out", "{result}"), 4, "is a folder"),
    ],
)
def test_what_cannot_be_done_is_told_and_leaves_nothing(
    result, tmp_path, capfd, words, code, sentence
):
    out = tmp_path / "new" / "r.pdf"
    filled = [word.format(result=result, out=out) for word in words]
    assert main(["report", *filled]) == code
    assert sentence in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_child_that_ends_while_it_writes_a_report_leaves_nothing(
    result, tmp_path, monkeypatch, capfd
):
    monkeypatch.setattr("medview.cli.report.WRITE", "services.works:end_while_writing_a_file")
    code, told = answer(capfd, result, "--out", tmp_path / "r.pdf")
    assert (code, told["schema"]) == (4, "medview.error/1")
    assert list(tmp_path.iterdir()) == []
