from dataclasses import replace

import pytest
from services.stubs import CARD, series_of

from medview.services.choices import site_of

AT_SITES = replace(CARD, settings={"sites": ["Guys", "HH"]})


@pytest.mark.parametrize(
    ("chosen", "institution", "site"),
    [
        (None, " guys ", "Guys"),
        (None, "Guys Hospital", None),
        (None, "", None),
        ("HH", "Guys", "HH"),
        # Chosen as unknown: the header says no more.
        ("", "Guys", ""),
    ],
)
def test_the_site_is_the_chosen_one_else_that_of_the_header_where_it_is_known(
    chosen, institution, site
):
    assert site_of(chosen, AT_SITES, series_of("1.1", institution=institution)) == site


def test_without_sites_or_a_header_there_is_no_site():
    assert site_of(None, CARD, series_of("1.1", institution="Guys")) is None
    assert site_of(None, AT_SITES, None) is None
