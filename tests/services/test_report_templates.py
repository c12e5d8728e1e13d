"""Templates of reports: what they may name, and which one is taken."""

import pytest

from medview.domain.errors import UsageError
from medview.services.models import find_cards
from medview.services.report_templates import Template, template_for, templates
from medview.services.reporting import SECTIONS


def test_templates_name_only_sections_that_exist():
    assert len(templates()) >= 2
    for template in templates():
        assert set(template.sections) <= set(SECTIONS)
        assert template.title


def test_the_template_follows_the_models_and_can_be_chosen():
    assert template_for(None, ("anomaly",)).name == "brain-mri"
    assert template_for(None, ()).name == "images"
    assert template_for(None, ("brain-age",)).name == "brain-age"
    assert template_for(None, ("brain-age-armed", "anomaly")).name == "brain-mri"
    assert template_for(None, ("cxr",), ("film",)).name == "chest-film"
    assert template_for(None, ("icu",), ("series",)).name == "icu"
    assert template_for(None, ("icu",), ("series", "film")).name == "icu-film"
    assert template_for(None, ("icu", "cxr"), ("series", "film")).name == "icu-film"
    assert template_for(None, ("icu-armed", "cxr"), ("series", "film")).name == "icu-film"
    assert template_for(None, ("icu", "anomaly"), ("series", "t1")).name == "analysis"
    assert template_for(None, ("unheard-of",)).name == "analysis"
    assert template_for("images", ("anomaly",)).name == "images"
    with pytest.raises(UsageError, match=r"no report template 'x'\. Choose one of: brain-age, b"):
        template_for("x", ())


@pytest.mark.parametrize(
    ("models", "roles", "fits"),
    [
        (("icu",), ("series", "film"), True),
        (("icu",), ("series",), False),
        (("cxr",), ("film",), False),
        ((), ("series", "film"), False),
    ],
)
def test_a_template_fits_results_of_its_models_with_all_its_inputs(models, roles, fits):
    made = Template("icu-film", "Stay", ("icu", "icu-armed"), ("result",), ("series", "film"))
    assert made.fits(models, roles) is fits
    assert Template("any", "Any", ("*",), ("result",)).fits(("unheard-of",), ())


def test_every_model_that_ships_has_a_template_of_its_kind():
    for card in find_cards():
        roles = tuple(each.role for each in card.inputs[:1])
        assert template_for(None, (card.id,), roles).name not in ("analysis", "images"), card.id


def test_what_shipped_cards_say_is_in_whole_sentences_of_plain_text():
    for card in find_cards(parts=True):
        for line in (*card.limits, *card.method):
            assert line.endswith("."), (card.id, line)  # a report puts them one behind another
            assert "`" not in line, (card.id, line)
