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


def drawn_texts(drawing):
    return [each for each in drawing.iter() if each.tag.endswith("text")]


def texts(svg: str) -> list[str]:
    return [each.text for each in drawn_texts(ElementTree.fromstring(svg))]


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


def test_numbers_names_and_caption_stand_beside_their_axes():
    drawing = ElementTree.fromstring(plot_svg(PLOT))
    wide, high = (float(drawing.get(side)) for side in ("width", "height"))
    said = [
        (each.text, float(each.get("x")), float(each.get("y")), each.get("text-anchor"))
        for each in drawn_texts(drawing)
    ]
    # The field reaches from 70, 16 to 430, 376.
    across = {text: x for text, x, y, _ in said if y == 392}
    up = {text: y - 4 for text, x, y, _ in said if x == 64}
    assert (across["0"], across["1"]) == (70, 430)
    assert (up["0"], up["1"]) == (376, 16)
    assert across["0.4"] - 70 == 376 - up["0.4"] == 144
    assert ("predicted <sd>", 250, 412, "middle") in said
    assert ("error & more", 18, 196, "middle") in said  # turned about this very point
    turned = next(each for each in drawing.iter() if "rotate" in each.get("transform", ""))
    assert turned.get("transform") == "rotate(-90 18 196)"
    lines = [(x, y) for text, x, y, anchor in said if anchor == "start"]
    assert lines == [(16, 439 + 15 * n) for n in range(len(lines))]
    assert max(y for _, y in lines) < high
    assert wide > 430


def test_the_file_holds_the_drawing_in_one_svg(tmp_path):
    write_plot(PLOT, tmp_path / "plot.svg")
    written = (tmp_path / "plot.svg").read_text("utf-8")
    assert written == plot_svg(PLOT)
    assert written.count("<svg") == 1
