"""The rules that comments name by their numbers are explained where a reader would look."""

import re
from pathlib import Path

import medview.domain

NUMBER = re.compile(r"\bR\d{1,2}\b")


def test_every_rule_that_the_code_names_is_explained_once():
    explained = NUMBER.findall(medview.domain.__doc__ or "")
    assert len(explained) > 30
    package = Path(medview.domain.__file__).parents[1]
    cited = {
        number: path.name
        for path in package.rglob("*.py")
        for number in NUMBER.findall(path.read_text("utf-8"))
        if path != Path(medview.domain.__file__)
    }
    assert {number: file for number, file in cited.items() if number not in explained} == {}
    doubled = {number for number in explained if explained.count(number) > 1}
    assert doubled == {"R22"}  # the example of how they are written
