import click
import pytest

from medview.cli.arguments import Finite, Numbers


def test_numbers_are_read_with_their_signs():
    assert Numbers("L", "P", "H").convert("12,-20.5,3e1", None, None) == (12.0, -20.5, 30.0)


@pytest.mark.parametrize("text", ["1,2", "1,2,3,4", "1,b,3", "", "1,nan,3", "1,inf,3"])
def test_anything_else_is_refused_with_what_was_expected(text):
    with pytest.raises(click.BadParameter, match="is not L,P,H"):
        Numbers("L", "P", "H").convert(text, None, None)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "soon", "130.1", "-1"])
def test_what_is_no_number_of_the_range_is_refused(text):
    with pytest.raises(click.BadParameter):
        Finite(0, 130).convert(text, None, None)


def test_a_number_of_the_range_is_taken():
    assert Finite(0, 130).convert("61.5", None, None) == 61.5
    assert Finite(-10, 10).convert("-7", None, None) == -7.0
