"""Codes are stable words for programs, each once."""

from __future__ import annotations

import re

from medview.io.codes import Code


def test_every_code_is_one_of_its_own_and_has_its_form():
    assert len({code.value for code in Code}) == len(Code)
    for code in Code:
        assert re.fullmatch(r"MV-IO-\d{3}", code)


def test_codes_that_the_contract_names_stay_what_they_are():
    assert Code.NOT_AN_IMAGE == "MV-IO-001"
    assert Code.ENDS_EARLY == "MV-IO-103"
