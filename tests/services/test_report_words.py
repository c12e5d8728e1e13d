import html.parser

import pytest
from result_phantom import card, exam, head, prediction_on

from medview import RESEARCH_USE
from medview.services.report_material import Material, Outcome
from medview.services.report_templates import Template
from medview.services.report_text import ReaderText
from medview.services.report_words import SPOKEN, in_words
from medview.services.reporting import SECTIONS, build_report

WORDS = ReaderText("Why?", "02 Sep 2025", "Two lesions.\n<5 mm & round.", "Benign.")
TEMPLATE = Template("words", "Brain MRI", ("*",), SPOKEN)


class Reader(html.parser.HTMLParser):
    """Takes the text out of HTML, and counts its tags."""

    def __init__(self, source):
        super().__init__()
        self.text, self.tags = "", []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def report():
    outcome = Outcome(prediction_on(head()), card())
    return build_report(Material(exam(), None, (outcome,), WORDS), TEMPLATE, report_id="7c1e-0110")


def test_both_forms_say_the_same_and_end_with_what_it_is_not_for(report):
    made = in_words(report)
    rich = Reader(made.html)
    for words in (
        *("Brain MRI (DRAFT)", "Doe, Jane", "02 Sep 2025", "Why?", "2 unusual regions"),
        *("left posterior, mid-height", "<5 mm & round.", "Benign."),
    ):
        assert words in made.plain
        assert words in rich.text
    assert made.plain.endswith(f"{RESEARCH_USE} Report 7c1e-0110.")
    assert rich.text.endswith(f"{RESEARCH_USE} Report 7c1e-0110.")
    assert not {"img", "svg", "script", "style"} & set(rich.tags)
    assert rich.tags.count("tr") == 4  # headings and three findings
    assert "1\tleft posterior, mid-height" in made.plain


def test_a_private_report_is_copied_without_a_name(report):
    outcome = Outcome(prediction_on(head()), card())
    material = Material(exam(), None, (outcome,), WORDS, private=True)
    made = in_words(build_report(material, TEMPLATE))
    for secret in ("Doe", "ANON-0110", "1964"):
        assert secret not in made.plain + made.html


def test_only_sections_that_exist_are_spoken():
    assert set(SPOKEN) <= set(SECTIONS)
