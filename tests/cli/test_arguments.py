import click
import pytest

from medview.cli.arguments import Numbers


def test_numbers_are_read_with_their_signs():
    assert Numbers("L", "P", "H").convert("12,-20.5,3e1", None, None) == (12.0, -20.5, 30.0)


@pytest.mark.parametrize("text", ["1,2", "1,2,3,4", "1,b,3", "", "1,nan,3", "1,inf,3"])
def test_anything_else_is_refused_with_what_was_expected(text):
    with pytest.raises(click.BadParameter, match="is not L,P,H"):
        Numbers("L", "P", "H").convert(text, None, None)
