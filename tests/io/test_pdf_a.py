"""Reports are PDF/A-3: every clause that can be read back, and that each would notice a fault."""

import shutil
from dataclasses import replace

import pikepdf
import pytest
from pdf_a import CLAUSES, named
from pikepdf import Array, Dictionary, Name
from result_phantom import card, exam, head, prediction_on

from medview.domain.progress import Silent
from medview.domain.report import Bar, Bars, Lane, Lanes, Plot, Section, Stroke
from medview.io.pdf import write_report
from medview.services.report_material import Material, Outcome
from medview.services.report_text import ReaderText
from medview.services.reporting import build_report

# Latin, Greek and Cyrillic; ligatures and marks that stand on their letter.
WORDS = ReaderText("Łódź, Ωμέγα, Ёжик?", "none", "Office ﬁnding, naïve café.", "Benign.")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A report with everything that can be drawn: pictures, strokes, charts, bars, lanes, plots."""
    volume = head()
    outcome = Outcome(prediction_on(volume), card())
    made = build_report(Material(exam(), volume, (outcome,), WORDS))
    line = Stroke((((0.1, 0.1), (0.9, 0.5)),), ("20 mm",), (0.9, 0.5))
    pictured = next(each for each in made.sections if each.figures)
    first = pictured.figures[0]
    drawn = replace(first, pictures=(replace(first.pictures[0], strokes=(line,)),))
    bars = Bars((Bar("risk", 0.3, 0.2, 0.4, "0.30"),), (0.0, 1.0), "Bars.", "Bars in words.")
    lanes = Lanes((Lane("HR", ((0, 60), (9, 80)), (), "60 – 80"),), 10.0, 5.0, "Lanes.", "Lanes")
    plot = Plot((0, 9), (0, 1), ("x", "y"), "Plot.", "A plot.", dots=((1, 0.5),), mark=2.0)
    more = Section("More", figures=(drawn,), plots=(plot,), bars=(bars,), lanes=(lanes,))
    path = tmp_path_factory.mktemp("pdf-a") / "r.pdf"
    write_report(Silent(), replace(made, sections=(*made.sections, more)), path)
    return path


def faults(clause, path):
    with pikepdf.open(path) as pdf:
        return list(CLAUSES[clause](pdf))


@pytest.mark.parametrize("clause", CLAUSES)
def test_the_clause_holds(whole, clause):
    assert faults(clause, whole) == []


def one(pdf, **wanted):
    return next(iter(named(pdf, **wanted)))


def smooth(pdf):
    one(pdf, Subtype="Image").Interpolate = True


def narrow(pdf):
    font = one(pdf, Type="Font", Subtype="CIDFontType0")
    font.W[1] = Array([1 for _ in font.W[1]])


def unmapped(pdf):
    del one(pdf, Type="Font", Subtype="Type0").ToUnicode


def not_embedded(pdf):
    found = one(pdf, Type="FontDescriptor")
    for key in ("/FontFile3", "/FontFile2"):
        if key in found:
            del found[key]


def blended(pdf):
    pdf.pages[0].Resources.ExtGState["/Bad"] = pdf.make_indirect(Dictionary(BM=Name("/Odd")))


def draws(content):
    def change(pdf):
        pdf.pages[0].contents_add(content)

    return change


def scripted(pdf):
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS="1")


def mute(pdf):
    one(pdf, S="Figure").Alt = pikepdf.String(" ")


def another_part(pdf):
    body = pdf.Root.Metadata.read_bytes().replace(b'part="3"', b'part="2"')
    pdf.Root.Metadata.write(body)


def loose(pdf):
    del one(pdf, Type="Filespec").AFRelationship


def without(key):
    def change(pdf):
        del pdf.Root[key]

    return change


def packed_otherwise(pdf):
    one(pdf, Subtype="Image").Filter = Name.LZWDecode


FAULTS = {
    "smoothed": ("6.2.8 images", smooth),
    "narrow": ("6.2.11 fonts", narrow),
    "unmapped": ("6.2.11 fonts", unmapped),
    "not embedded": ("6.2.11 fonts", not_embedded),
    "no glyph": ("6.2.11.8 letters", draws(b"BT <0000> Tj ET")),
    "blended": ("6.2.10 transparency", blended),
    "CMYK": ("6.2.3 colours", draws(b"0 0 0 1 k")),
    "no intent": ("6.2.3 colours", without("/OutputIntents")),
    "operator": ("6.2.2 operators", draws(b"1 2 odd")),
    "not put back": ("6.2.2 operators", draws(b"q")),
    "script": ("6.5 actions", scripted),
    "part": ("6.6 metadata", another_part),
    "no metadata": ("6.6 metadata", without("/Metadata")),
    "mute": ("6.7 tags", mute),
    "untagged": ("6.7 tags", without("/StructTreeRoot")),
    "loose text": ("6.7 tags", draws(b"BT <0001> Tj ET")),
    "no relationship": ("6.8 attachments", loose),
    "belongs to nothing": ("6.8 attachments", without("/AF")),
    "filter": ("6.1.7 streams", packed_otherwise),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_noticed(whole, tmp_path, name):
    clause, change = FAULTS[name]
    path = tmp_path / "r.pdf"
    with pikepdf.open(whole) as pdf:
        change(pdf)
        pdf.save(path, fix_metadata_version=False)
    assert faults(clause, path)


@pytest.mark.parametrize(("clause", "words"), [("6.1.2 header", b"x"), ("6.1.3 trailer", None)])
def test_a_fault_of_the_file_itself_is_noticed(whole, tmp_path, clause, words):
    path = tmp_path / "r.pdf"
    if words:
        shutil.copy(whole, path)
        path.write_bytes(path.read_bytes() + words)
    else:
        with pikepdf.open(whole) as pdf:
            pdf.save(path, encryption=pikepdf.Encryption(owner="x", user=""))
    assert faults(clause, path)


def test_the_report_holds_all_that_can_be_drawn(whole):
    with pikepdf.open(whole) as pdf:
        alternatives = {str(each.Alt) for each in named(pdf, S="Figure")}
        assert len(list(named(pdf, Subtype="Image"))) >= 6
    for words in ("A plot.", "risk: 0.30", "HR: 60 – 80", "Drawn on the image: 20 mm."):
        assert words in alternatives
