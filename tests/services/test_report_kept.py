"""What stands where a report is to be written: signed ones stay, the rest is replaced."""

from dataclasses import replace

import pikepdf
import pytest
from result_phantom import card, exam, head, prediction_on

from medview.domain.errors import UsageError
from medview.domain.progress import Silent
from medview.io.pdf import write_report
from medview.services.report_kept import keep_signed
from medview.services.report_material import Material, Outcome
from medview.services.report_templates import template_for
from medview.services.report_text import ReaderText
from medview.services.reporting import build_report

JOB = Silent()


@pytest.fixture(scope="module")
def material():
    volume = head()
    outcome = Outcome(prediction_on(volume), card())
    return Material(exam(), None, (outcome,), ReaderText(impression="Benign."))


def written(material, path):
    made = build_report(material, template_for("images", ()), report_id="7c1e-0110")
    write_report(JOB, made, path)
    return made.status


@pytest.mark.parametrize("name", ["none.pdf", "words.pdf", "draft.pdf"])
def test_nothing_another_file_and_a_draft_may_be_written_over(material, tmp_path, name):
    (tmp_path / "words.pdf").write_text("no PDF")
    assert written(material, tmp_path / "draft.pdf") == "DRAFT"
    keep_signed(JOB, tmp_path / name)


def test_a_signed_report_stays_also_where_it_was_changed_since(material, tmp_path):
    path = tmp_path / "signed.pdf"
    assert written(replace(material, signer="Dr A"), path) == "FINAL"
    keep_signed(JOB, path, "7c1e-0110")
    with pytest.raises(UsageError, match="is a report that is signed") as caught:
        keep_signed(JOB, path, "7c1e-0111")
    assert caught.value.file == "signed.pdf"
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].contents_add(b"0 0 100 100 re f")
        pdf.save(path)
    with pytest.raises(UsageError):
        keep_signed(JOB, path)
