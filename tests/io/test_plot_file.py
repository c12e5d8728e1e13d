"""A plot as a file of its own: well-formed, with names, numbers and caption in it."""

from xml.etree import ElementTree

from medview.domain.report import Plot
from medview.io.plot_file import plot_svg, write_plot

PLOT = Plot(
    x=(0.0, 1.0),
    y=(0.0, 1.0),
    labels=("predicted <sd>", "error & more"),
    caption="Words " * 40,
    alt="five points",
    dots=((0.0, 0.0), (1.0, 1.0)),
)


def texts(svg: str) -> list[str]:
    found = ElementTree.fromstring(svg).iter()
    return [each.text for each in found if each.tag.endswith("text")]


def test_axes_have_names_and_numbers():
    told = texts(plot_svg(PLOT))
    assert {"predicted <sd>", "error & more"} <= set(told)
    assert told.count("0.2") == told.count("1") == 2


def test_the_caption_is_told_in_lines_that_fit_and_is_for_research():
    told = texts(plot_svg(PLOT))
    lines = [each for each in told if "Words" in each or "Research" in each]
    assert len(lines) > 2
    assert max(map(len, lines)) <= 68
    assert "Research use only" in " ".join(lines)


def test_dots_lie_at_the_corners_of_the_field():
    found = ElementTree.fromstring(plot_svg(PLOT)).iter()
    circles = [each for each in found if each.tag.endswith("circle")]
    places = [(float(each.get("cx")), float(each.get("cy"))) for each in circles]
    assert places == [(0.0, 360.0), (360.0, 0.0)]


def test_the_file_holds_the_drawing_in_one_svg(tmp_path):
    write_plot(PLOT, tmp_path / "plot.svg")
    written = (tmp_path / "plot.svg").read_text("utf-8")
    assert written == plot_svg(PLOT)
    assert written.count("<svg") == 1
