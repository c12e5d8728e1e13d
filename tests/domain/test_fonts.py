"""The typeface ships with its licence and can be opened."""

import pytest
from PIL import ImageFont

from medview.domain.resources import resource


@pytest.mark.parametrize("weight", ["Regular", "SemiBold", "Bold"])
def test_each_weight_of_inter_opens_under_its_own_name(weight):
    font = ImageFont.truetype(str(resource("fonts", f"Inter-{weight}.otf")), 14)
    assert font.getname()[0].startswith("Inter")


def test_the_licence_of_the_typeface_stands_beside_it():
    assert "SIL OPEN FONT LICENSE Version 1.1" in resource("fonts", "OFL.txt").read_text()
