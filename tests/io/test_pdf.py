import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from importlib.abc import MetaPathFinder
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
from pypdf import PdfReader
from result_phantom import SHA, card, exam, head, prediction_on
from weasyprint import HTML

from medview import RESEARCH_USE
from medview.domain.errors import Cancelled, ReadError, WriteError
from medview.domain.progress import Silent
from medview.domain.report import Report, Section, Table
from medview.domain.resources import resource
from medview.io import pdf as module
from medview.io.pdf import read_report, write_report
from medview.services.report_material import Material, Outcome
from medview.services.report_text import reader_text
from medview.services.reporting import build_report

JOB = Silent()
WORDS = """# Question
Known primary tumour?
# Comparison
02 Sep 2025, MR head
# Findings
Ring-enhancing lesion.
# Impression
Metastasis likely.
# Agreement
1: agree
2: rejected: vessel
"""
MADE = "2026-03-14T10:50:00+00:00"
IDENTITY = ("Doe", "Jane", "ANON-0110", "4471", "1964")


def without_digests(text):
    """Hashes hold any four digits now and then."""
    return re.sub(r"[0-9a-f]{64}", "", text)


def full_report(**fields: object) -> Report:
    volume = head()
    outcome = Outcome(prediction_on(volume), card(), "cd" * 32)
    material = Material(exam(), volume, (outcome,), reader_text(WORDS))
    return build_report(replace(material, **fields), report_id="7c1e-0110", made_at=MADE)


def text_of(path: Path) -> list[str]:
    """The text of each page, its white space in single blanks."""
    return [re.sub(r"\s+", " ", page.extract_text()) for page in PdfReader(path).pages]


@pytest.fixture(scope="module")
def report() -> Report:
    return full_report()


@pytest.fixture(scope="module")
def printed(report, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "r.pdf"
    assert write_report(JOB, report, path) == 2
    return path


def short_report(**fields: object) -> Report:
    made = Report(
        title="Imaging report",
        identity=("Patient 9f2c41aa", "14 Mar 2026"),
        facts=(("Scanner", "not available"),),
        sections=(Section("Impression", "Nothing unusual."),),
        report_id="7c1e-0110",
        made_at=MADE,
        content_sha256="ab" * 32,
        manifest={"schema": "medview.manifest/1", "made_at": MADE, "results": []},
    )
    return replace(made, **fields)


def test_every_page_says_what_it_is_for_and_which_page_it_is(printed):
    pages = text_of(printed)
    assert len(pages) == 2
    for n, text in enumerate(pages, start=1):
        assert RESEARCH_USE in text
        assert "Report 7c1e-0110 · 14 Mar 2026 10:50 UTC · content " in text
        assert f"page {n} / 2" in text


def test_every_page_says_who_it_is_about_and_that_it_is_a_draft(printed):
    for text in text_of(printed):
        assert "Doe, Jane · ANON-0110 · F · born 02 May 1964" in text
        assert "Accession 4471 · 14 Mar 2026" in text
        assert "DRAFT" in text


def test_the_run_can_be_repeated_from_what_is_printed(printed):
    text = " ".join(text_of(printed))
    for expected in (SHA, "K 5", "seed 7", "cpu", "float32", "α 0.5", "0.3.0+g1a2b3c", "ab" * 32):
        assert expected in text
    assert card().weights_sha256 == SHA


def test_the_result_has_its_interval_and_what_it_is_compared_with(printed):
    text = " ".join(text_of(printed))
    assert "2 unusual regions; the most unusual: left posterior, mid-height, 3.2 ml." in text
    assert "Anomaly score 1.83 (95 % interval 1.61 – 2.10, 5 samples)" in text
    assert "higher than in 98 % of 14 normal brains" in text
    assert "1 more region is hidden by uncertainty" in text


def test_the_readers_words_and_verdicts_are_printed(printed):
    text = " ".join(text_of(printed))
    for expected in ("Known primary tumour?", "Ring-enhancing lesion.", "Metastasis likely."):
        assert expected in text
    for expected in ("agree", "rejected: vessel", "not reviewed", "02 Sep 2025, MR head"):
        assert expected in text


def test_pictures_have_letters_scale_and_colour_bars_as_text(printed):
    first = text_of(printed)[0]
    assert first.count("5 cm") == 9
    assert len(re.findall(r"\bIm \d+ / 36", first)) == 3
    assert "anomaly score, shown from 6" in first
    assert "total uncertainty, shown from 0.004" in first
    assert re.search(r"\bR L\b|\bR\b.*\bL\b", first)


def test_the_pictures_are_those_of_the_report_pixel_by_pixel(report, printed):
    sent = {p.rgb.tobytes() for s in report.sections for f in s.figures for p in f.pictures}
    found = {
        np.asarray(image.image.convert("RGB")).tobytes()
        for page in PdfReader(printed).pages
        for image in page.images
    }
    assert len(sent) > 6  # where nothing is over the threshold two pictures are alike
    assert sent == found


def test_every_font_is_embedded_and_only_in_part(printed):
    fonts = []
    with pikepdf.open(printed) as pdf:
        for item in pdf.objects:
            if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/FontDescriptor":
                fonts.append(str(item.FontName))
                assert "/FontFile3" in item or "/FontFile2" in item
    assert fonts
    assert any("Inter" in font for font in fonts)
    assert printed.stat().st_size < 3_000_000


def test_it_is_pdf_a_3_with_the_manifest_as_its_only_attachment(printed):
    with pikepdf.open(printed) as pdf:
        assert list(pdf.attachments) == ["manifest.json"]
        manifest = json.loads(pdf.attachments["manifest.json"].get_file().read_bytes())
        assert pdf.Root.AF[0].AFRelationship == "/Data"
        with pdf.open_metadata() as meta:
            assert meta["pdfaid:part"] == "3"
            assert meta["pdfaid:conformance"] == "B"
        assert pdf.Root.OutputIntents
        assert pdf.Root.MarkInfo.Marked
    assert manifest["schema"] == "medview.manifest/1"
    assert manifest["results"][0]["file_sha256"] == "cd" * 32
    assert manifest["results"][0]["result"]["weights_sha256"] == SHA
    assert manifest["results"][0]["result"]["scores"][0]["value"] == 1.834


def test_pictures_have_an_alternative_text(printed):
    with pikepdf.open(printed) as pdf:
        texts = [
            str(i.Alt) for i in pdf.objects if isinstance(i, pikepdf.Dictionary) and "/Alt" in i
        ]
    assert sum(text.startswith("Image, slice") for text in texts) == 3
    assert sum(text.startswith("anomaly score over the image") for text in texts) == 3
    assert any(text.startswith("Bars of the score of 36 slices") for text in texts)


def test_metadata_name_nobody(printed):
    with pikepdf.open(printed) as pdf:
        info = {key: str(value) for key, value in pdf.docinfo.items()}
        xmp = pdf.Root.Metadata.read_bytes().decode()
        manifest = pdf.attachments["manifest.json"].get_file().read_bytes().decode()
    manifest = without_digests(manifest)
    assert info["/Title"] == "Report"
    assert not {"/Author", "/Subject", "/Keywords"} & set(info)
    for secret in IDENTITY:
        assert secret not in str(info)
        assert secret not in xmp
        assert secret not in manifest
    assert printed.read_bytes().count(b"%%EOF") == 1


def test_a_private_report_names_nobody_anywhere(tmp_path):
    write_report(JOB, full_report(private=True), tmp_path / "r.pdf")
    text = " ".join(text_of(tmp_path / "r.pdf"))
    assert "Patient 9f2c41aa" in text
    with pikepdf.open(tmp_path / "r.pdf") as pdf:
        text += pdf.attachments["manifest.json"].get_file().read_bytes().decode()
    for secret in (*IDENTITY, "1.2.3.4.55667788"):
        assert secret not in without_digests(text)


def test_a_signed_report_is_no_draft(tmp_path):
    write_report(JOB, full_report(signer="Dr A. Reader"), tmp_path / "r.pdf")
    text = " ".join(text_of(tmp_path / "r.pdf"))
    assert "DRAFT" not in text
    assert "Dr A. Reader" in text


def test_lines_are_full_and_no_interval_is_broken(tmp_path):
    text = (
        "Given with it: age 55.4 years, site Caltech. The gaps have no interval. Without the "
        "effect of a site 38.4 years (95 % interval 25.2 – 58.4). Measured on people the weights "
        "had not seen: mean absolute error 2.50 years (2.31 – 2.72, abide, sites seen, n 771); "
        "mean absolute error 2.90 years (2.67 – 3.15, abide, sites unseen, n 771)."
    )
    lines = []
    for first in range(0, 60, 15):  # five cuts on a page
        cuts = [text[cut:] for cut in range(first, first + 15, 3)]
        made = short_report(sections=tuple(Section("Result", c, "51.0 years.") for c in cuts))
        write_report(JOB, made, tmp_path / "r.pdf")
        told = PdfReader(tmp_path / "r.pdf").pages[0].extract_text()
        for each in told.split("51.0 years.\n")[1:]:
            lines.append(each.partition("unseen")[0].split("\n")[:-1])
    assert len(lines) == 20
    assert all(len(line) > 80 for paragraph in lines for line in paragraph)
    assert not [line for part in lines for line in part if line.rstrip("\u00a0 ").endswith("–")]


def test_a_long_list_goes_on_overleaf(tmp_path):
    """No quarter of a page stays empty before rows of one name, which is said on both pages."""
    rows = (("Use", "x " * 3600), *(("Limits", f"limit {n}. " * 25) for n in range(9)))
    write_report(JOB, short_report(sections=(Section("", table=Table(rows)),)), tmp_path / "r.pdf")
    first, second = text_of(tmp_path / "r.pdf")
    assert "Limits limit 0." in first
    assert "limit 1." in first
    assert "limit 8." in second
    assert second.count("Limits") == 1
    assert second.index("Limits") < second.index("limit ")


def test_a_list_at_the_end_goes_overleaf_whole_unless_it_is_long(tmp_path):
    for rows, stays in ((9, False), (16, True)):
        listed = tuple((f"Row {n}", "x " * 48) for n in range(rows))
        origin = Section("Origin", table=Table(listed))
        made = short_report(sections=(Section("", "word\n" * 39), origin))
        assert write_report(JOB, made, tmp_path / "r.pdf") == 2
        first, second = text_of(tmp_path / "r.pdf")
        begun = first if stays else second
        assert "ORIGIN" in begun.upper()
        assert "Row 0" in begun
        assert f"Row {rows - 1}" in second


@pytest.mark.parametrize(("paper", "points"), [("a4", (595, 842)), ("letter", (612, 792))])
def test_nothing_is_cut_off_on_either_paper(tmp_path, report, paper, points):
    pages = write_report(JOB, report, tmp_path / "r.pdf", paper)
    assert pages == 2
    for page in PdfReader(tmp_path / "r.pdf").pages:
        assert (round(page.mediabox.width), round(page.mediabox.height)) == points
    assert_margins_are_white(tmp_path / "r.pdf")


def assert_margins_are_white(path: Path) -> None:
    """Nothing is drawn in the outer 8 mm of any page."""
    pdf = pypdfium2.PdfDocument(path)
    try:
        for number in range(len(pdf)):
            page = pdf[number]
            picture = page.render(scale=1).to_numpy()
            page.close()
            edge = round(8 / 25.4 * 72)
            picture[edge:-edge, edge:-edge] = 255
            assert picture.min() == 255, f"page {number + 1}"
    finally:
        pdf.close()


LONG = "Wolfeschlegelsteinhausenbergerdorff " * 9
NAMES = {
    "long": LONG.strip(),
    "long without a blank": "W" * 300,
    "Chinese": "王小明 " * 20 + "山田 太郎",
    "Hebrew": "שלום כהן",
    "Arabic": "محمد بن عبد الله",
    "Greek and Cyrillic": "Ωμέγα Παπαδόπουλος · Щукин Ёжик",
    "marks": '<b>O\'Neill</b> & "Söhne"',
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_names_of_every_kind_are_printed_whole(tmp_path, name):
    if name == NAMES["Chinese"] and not has_font_for("zh"):
        pytest.skip("no font for Chinese here; packaging/apt.txt names one")
    two_pages = (Section("Impression", "word\n" * 60),)
    made = short_report(identity=(f"{name} · 123", "14 Mar 2026"), sections=two_pages)
    assert write_report(JOB, made, tmp_path / "r.pdf", "letter") == 2
    assert_margins_are_white(tmp_path / "r.pdf")
    for page in PdfReader(tmp_path / "r.pdf").pages:
        # Sorted, because text that runs from the right is told in another order.
        assert "".join(sorted("".join(name.split()))) == in_common(page.extract_text(), name)
    assert missing_glyphs(tmp_path / "r.pdf") == 0


def has_font_for(language: str) -> bool:
    if shutil.which("fc-list") is None:
        return True
    words = ["fc-list", f":lang={language}"]
    return bool(subprocess.run(words, capture_output=True, check=False).stdout)


def in_common(text: str, name: str) -> str:
    """The letters of `name`, sorted, each as often as it also is in `text`."""
    both = Counter("".join(name.split())) & Counter(text)
    return "".join(sorted(both.elements()))


def missing_glyphs(path: Path) -> int:
    """How many letters are drawn as the box of a font that lacks them (glyph 0)."""
    with pikepdf.open(path) as pdf:
        count = 0
        for page in pdf.pages:
            for operands, operator in pikepdf.parse_content_stream(page):
                if str(operator) in ("Tj", "TJ"):
                    parts = operands[0] if str(operator) == "TJ" else operands
                    for part in parts:
                        if isinstance(part, pikepdf.String):
                            codes = bytes(part)
                            count += sum(
                                codes[n : n + 2] == b"\0\0" for n in range(0, len(codes), 2)
                            )
    return count


def test_the_same_state_gives_the_same_file_but_for_id_and_time(tmp_path):
    one, two = full_report(), full_report()
    assert one.content_sha256 == two.content_sha256
    for name, made in (("one", one), ("two", two)):
        write_report(JOB, made, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_untouched_report_is_intact(printed, report):
    back = read_report(JOB, printed)
    assert back.intact
    assert back.pages == 2
    assert back.manifest["content_sha256"] == report.content_sha256
    assert report.content_sha256[:12] in text_of(printed)[0]


def test_a_number_changed_on_a_page_is_noticed(tmp_path, printed):
    with pikepdf.open(printed) as pdf:
        page = pdf.pages[0]
        commands = pikepdf.parse_content_stream(page)
        shown = next(n for n, c in enumerate(commands) if str(c.operator) == "TJ")
        commands[shown] = commands[shown + 1]
        page.Contents = pdf.make_stream(pikepdf.unparse_content_stream(commands))
        pdf.save(tmp_path / "r.pdf")
    assert not read_report(JOB, tmp_path / "r.pdf").intact


def test_a_picture_exchanged_is_noticed(tmp_path, printed):
    with pikepdf.open(printed) as pdf:
        images = [
            i for i in pdf.objects
            if isinstance(i, pikepdf.Stream) and i.get("/Subtype") == "/Image"
        ]  # fmt: skip
        data = bytearray(images[0].read_bytes())
        data[0] ^= 1
        images[0].write(bytes(data))
        pdf.save(tmp_path / "r.pdf")
    assert not read_report(JOB, tmp_path / "r.pdf").intact


def test_a_number_changed_in_the_manifest_is_noticed(tmp_path, printed):
    with pikepdf.open(printed) as pdf:
        body = pdf.attachments["manifest.json"].get_file().read_bytes()
        del pdf.attachments["manifest.json"]
        pdf.attachments["manifest.json"] = body.replace(b"1.834", b"1.934")
        pdf.save(tmp_path / "r.pdf")
    back = read_report(JOB, tmp_path / "r.pdf")
    assert back.manifest["results"][0]["result"]["scores"][0]["value"] == 1.934
    assert not back.intact


def test_a_note_put_over_a_page_is_noticed(tmp_path, printed):
    with pikepdf.open(printed) as pdf:
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.FreeText, Rect=[0, 0, 300, 300],
            Contents="benign",
        )  # fmt: skip
        pdf.pages[0].Annots = pdf.make_indirect([pdf.make_indirect(note)])
        pdf.save(tmp_path / "r.pdf")
    assert not read_report(JOB, tmp_path / "r.pdf").intact


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.7\n%%EOF"])
def test_what_is_no_pdf_is_refused_in_a_sentence(tmp_path, content):
    (tmp_path / "r.pdf").write_bytes(content)
    with pytest.raises(ReadError, match=r"^r\.pdf: is not a readable PDF"):
        read_report(JOB, tmp_path / "r.pdf")


def test_a_foreign_pdf_is_refused_in_a_sentence(tmp_path):
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(tmp_path / "r.pdf")
    with pytest.raises(ReadError, match="no run manifest is attached"):
        read_report(JOB, tmp_path / "r.pdf")


def test_a_place_that_cannot_be_written_is_told_and_nothing_is_left(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteError, match=r"r\.pdf: lies below a file"):
        write_report(JOB, short_report(), tmp_path / "file" / "r.pdf")
    assert sorted(os.listdir(tmp_path)) == ["file"]


def test_a_missing_text_layout_library_is_told_in_a_sentence(tmp_path, monkeypatch):
    class NoPango(MetaPathFinder):
        def find_spec(self, name: str, *_: object) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [NoPango(), *sys.meta_path])
    with pytest.raises(WriteError, match=r"Pango\) is missing, so no PDF can be made"):
        write_report(JOB, short_report(), tmp_path / "r.pdf")
    assert list(tmp_path.iterdir()) == []


def test_a_stop_leaves_no_file(tmp_path):
    class Stopped(Silent):
        def check(self) -> None:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        write_report(Stopped(), short_report(), tmp_path / "r.pdf")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_fetched_and_no_mark_is_taken_for_html(tmp_path):
    evil = '<img src="file:///etc/passwd"><script>x</script><style>*{display:none}</style>'
    made = short_report(title=evil, sections=(Section(evil, evil, table=Table(((evil, evil),))),))
    write_report(JOB, made, tmp_path / "r.pdf")
    text = "".join("".join(text_of(tmp_path / "r.pdf")).split())
    assert "".join(evil.split()) in text


def test_without_the_bundled_font_the_systems_is_embedded(tmp_path, monkeypatch):
    def elsewhere(*parts: str) -> Path:
        return resource(*parts) if parts[0] == "report" else tmp_path / "none"

    monkeypatch.setattr(module, "resource", elsewhere)
    write_report(JOB, short_report(), tmp_path / "r.pdf")
    assert "Nothing unusual." in text_of(tmp_path / "r.pdf")[0]
    assert missing_glyphs(tmp_path / "r.pdf") == 0


def test_many_pictures_and_findings_fill_sensible_pages(tmp_path, report):
    pictured = next(section for section in report.sections if section.figures)
    rows = tuple((str(n), "left central, high", "1 ml") for n in range(200))
    table = Table(rows, ("No.", "Where", "Volume"))
    many = (replace(pictured, figures=pictured.figures * 5), Section("Findings", table=table))
    pages = write_report(JOB, replace(report, sections=many), tmp_path / "r.pdf")
    texts = text_of(tmp_path / "r.pdf")
    assert 6 <= pages <= 14
    assert all(len(text) > 200 for text in texts)
    assert sum(text.count("5 cm") for text in texts) == 45
    assert_margins_are_white(tmp_path / "r.pdf")


def test_a_report_without_any_content_is_still_a_page(tmp_path):
    empty = short_report(sections=(), facts=(), identity=("Patient not available",))
    assert write_report(JOB, empty, tmp_path / "r.pdf") == 1
    assert RESEARCH_USE in text_of(tmp_path / "r.pdf")[0]


def test_nothing_of_a_report_lies_in_the_systems_folder_while_or_after_it_is_drawn(
    tmp_path, monkeypatch
):
    true_render = HTML.render
    beside = []

    def render(page, **given):
        drawn = true_render(page, **given)
        beside.extend(sorted(each.name for each in tmp_path.glob(".medview-*/*")))
        return drawn

    monkeypatch.setattr(HTML, "render", render)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    write_report(JOB, short_report(), tmp_path / "r.pdf")
    assert beside == ["draft-fonts"]
    assert [each.name for each in tmp_path.iterdir()] == ["r.pdf"]
