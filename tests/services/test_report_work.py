"""What the child for pages does, here without a child."""

from dataclasses import replace

import pytest
from pypdf import PdfReader
from result_phantom import card, exam, head, prediction_on

from medview.domain.errors import MedviewError, ReadError, UsageError
from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.progress import Silent
from medview.domain.study import Series
from medview.services import report_work
from medview.services.report_history import signed
from medview.services.report_marks import Marked
from medview.services.report_material import Material, Outcome
from medview.services.report_order import Heavy, Order
from medview.services.report_text import ReaderText

JOB = Silent()


@pytest.fixture(scope="module")
def volume():
    return head()


@pytest.fixture
def material(volume):
    """A light material, with what is heavy held under 7."""
    whole = prediction_on(volume)
    report_work.hold(JOB, 7, Heavy(volume, (whole,)))
    light = Outcome(replace(whole, maps=()), card())
    return Material(exam(), None, (light,), ReaderText(impression="Benign."))


def test_pages_come_as_pictures_of_the_width_that_was_asked_for(material):
    made = report_work.preview(JOB, 7, material, Order(paper="letter"), 300)
    assert len(made.pages) >= 2
    assert all(page.shape in ((388, 300, 3), (389, 300, 3)) for page in made.pages)
    assert all(page.min() < 100 < 250 < page.max() for page in made.pages)
    assert (made.status, made.title) == ("DRAFT", "Brain MRI with computed analysis")


def test_words_alone_do_not_draw_the_pictures_again(material, monkeypatch):
    report_work.preview(JOB, 7, material, Order(), 200)

    def again(_):
        raise AssertionError("the pictures were drawn again")

    monkeypatch.setitem(report_work.SECTIONS, "pictures", again)
    report_work.preview(JOB, 7, replace(material, reader=ReaderText("Why?")), Order(), 200)


def test_what_is_not_held_any_more_is_told(material):
    with pytest.raises(MedviewError) as caught:
        report_work.preview(JOB, 6, material, Order(), 200)
    assert caught.value.code == report_work.NOT_HELD


def test_the_written_report_has_the_id_and_pictures_of_the_held_pixels(material, tmp_path):
    out = tmp_path / "r.pdf"
    made = report_work.build_and_write(JOB, 7, material, Order(report_id="7c1e-0110"), out)
    assert (made.pages, made.report_id, made.status) == (2, "7c1e-0110", "DRAFT")
    pages = PdfReader(out).pages
    assert len(pages[0].images) > 3
    assert "7c1e-0110" in pages[1].extract_text()


def test_a_signed_report_is_written_again_under_its_own_id_alone(material, tmp_path):
    out, order = tmp_path / "r.pdf", Order(template="images", report_id="7c1e-0110")
    final = replace(material, signer="Dr A")
    assert report_work.build_and_write(JOB, 7, final, order, out).status == "FINAL"
    assert report_work.build_and_write(JOB, 7, final, order, out).status == "FINAL"
    before = out.read_bytes()
    for report_id in ("", "7c1e-0111"):
        with pytest.raises(UsageError, match="is signed"):
            report_work.build_and_write(JOB, 7, final, replace(order, report_id=report_id), out)
    assert out.read_bytes() == before


def test_images_of_other_series_are_read_and_lost_ones_are_told(material, volume, monkeypatch):
    read = []

    def load(job, series, time):
        if series.uid == "gone":
            raise ReadError("is not there any more")
        read.append((series.uid, time))
        return volume

    monkeypatch.setattr(report_work.readers, "load", load)
    image = KeyImage(Plane.AXIAL, 20, point_lps=(0.0, 0.0, 10.0))
    marked = tuple(
        Marked((image,), (), exam(), uid, 1, number=n, series=Series(uid))
        for n, uid in enumerate(("there", "gone"), 1)
    )
    order = Order("images")
    for _ in range(2):
        report_work.preview(JOB, 7, replace(material, marked=marked), order, 200)
    assert read == [("there", 1)]
    (section,) = [each for each in report_work._held.marked[1] if each.figures]
    assert section.text == "The pixels of key image 2 could not be read again."
    assert len(section.figures[0].pictures) == 1


def test_of_other_series_the_pixels_of_the_last_two_are_kept(material, volume, monkeypatch):
    read = []

    def load(job, series, time):
        read.append(f"{series.uid} {time}")
        return volume

    monkeypatch.setattr(report_work.readers, "load", load)
    for name in ("pictures", "marked"):
        monkeypatch.setitem(report_work.SECTIONS, name, lambda _: ())
    image = KeyImage(Plane.AXIAL, 20, point_lps=(0.0, 0.0, 10.0))

    def shown(*given):
        marked = tuple(
            Marked((image,), (), exam(), uid, time, number=n, series=Series(uid))
            for n, (uid, time) in enumerate(given, 1)
        )
        report_work.words(JOB, 7, material, Order("images"))  # reads no pixels
        report_work._report(JOB, 7, replace(material, marked=marked), Order("images"))

    shown(("a", 0), ("a", 1), ("a", 0), ("b", 0), ("a", 1))
    assert read == ["a 0", "a 1", "b 0"]
    shown(("a", 0))
    assert read[3:] == ["a 0"]
    report_work.hold(JOB, 7, report_work._held.heavy)
    shown(("b", 0))
    assert read[4:] == ["b 0"]


def test_key_images_are_named_by_their_files_and_each_file_is_asked_once(material, monkeypatch):
    asked = []

    def named(series, time, image):
        asked.append((series.uid, time, image))
        return f"1.2.3.{image}"

    monkeypatch.setattr(report_work, "instance_of", named)
    images = (KeyImage(Plane.ACQUIRED, 20), KeyImage(Plane.CORONAL, 9))
    marked = Marked(images, (), exam(), "1.2", files=Series("1.2"))
    for _ in range(2):
        report_work.preview(JOB, 7, replace(material, marked=(marked,)), Order("images"), 200)
    assert asked == [("1.2", 0, 20)]
    found = report_work._held.marked[1][-1].table.rows
    assert [row[-1] for row in found] == ["1.2.3.20", "not available"]


def test_words_are_made_without_a_picture_and_a_signed_report_stays_signed(material, monkeypatch):
    def drawn(*_):
        raise AssertionError("something was drawn")

    for name in ("pictures", "marked"):
        monkeypatch.setitem(report_work.SECTIONS, name, drawn)
    monkeypatch.setattr(report_work, "instance_of", drawn)
    marked = Marked((KeyImage(Plane.ACQUIRED, 3),), (), exam(), "1.2", files=Series("1.2"))
    whole = signed(replace(material, marked=(marked,), signer="Dr Doe"))
    made = report_work.words(JOB, 7, replace(whole, signer=""), Order(report_id="7c1e-0110"))
    assert made.status == "FINAL"
    assert "unusual regions" in made.plain
    assert "Benign." in made.html
    assert "7c1e-0110" in made.plain
