"""Films that are lateral by the words of their series, where no view position is given."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import image, only, write

from medview.domain.errors import ModelInputError
from medview.learning.film import refuse_unfit


def film(tmp_path, **header):
    picture = np.arange(200 * 180, dtype=np.uint16).reshape(200, 180)
    return only(write(image(picture, Modality="DX", **header), tmp_path / "x.dcm"))[1]


@pytest.mark.parametrize(
    "text",
    ["thorax lateral", "LAT", "CHEST_LAT", "Thorax seitlich", "Thorax LL", "Lat. chest", "1V-LAT"],
)
def test_a_series_may_call_its_film_lateral(tmp_path, text):
    assert film(tmp_path, SeriesDescription=text).view == "LATERAL"


@pytest.mark.parametrize(
    "text",
    [
        *("", "thorax", "bilateral infiltrates", "bi-lateral", "unilateral", "flat panel"),
        *("PA and lateral", "p.a. + lat", "AP/LAT", "Left lateral decubitus", "no lateral"),
    ],
)
def test_other_words_say_nothing(tmp_path, text):
    assert film(tmp_path, SeriesDescription=text).view == ""


@pytest.mark.parametrize("where", ["SeriesDescription", "ProtocolName"])
def test_a_film_called_lateral_is_refused_as_one_whose_view_is(tmp_path, where):
    with pytest.raises(ModelInputError, match="lateral") as caught:
        refuse_unfit(film(tmp_path, **{where: "thorax lateral"}))
    assert caught.value.code == "MV-MOD-021"


def test_the_view_goes_before_words_and_those_of_the_study_do_not_count(tmp_path):
    refuse_unfit(film(tmp_path, ViewPosition="PA", SeriesDescription="thorax lateral"))
    refuse_unfit(film(tmp_path, StudyDescription="chest lateral"))


def test_a_series_called_frontal_is_so_whatever_its_protocol_is_called(tmp_path):
    refuse_unfit(film(tmp_path, SeriesDescription="chest PA", ProtocolName="thorax lateral"))
