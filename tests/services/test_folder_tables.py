"""A folder that is named for a model of time series: its table, and what else lies in it."""

from dataclasses import replace

import pytest
from services.stubs import CARD, catalogue_of, series_of

from medview.domain.card import InputSpec
from medview.domain.errors import UsageError
from medview.services.inputs import Wanted, gather

ICU = replace(
    CARD,
    id="icu",
    inputs=(InputSpec("series", "a stay"), InputSpec("film", "a film", modalities=("DX",))),
)


def gathered(folder, card=ICU):
    """Roles of images and tables, and the places that were searched for images."""
    searched = []

    def scan(paths):
        searched.extend(paths)
        return catalogue_of(series_of("1", description="chest", modality="DX"))

    found = gather(card, Wanted((folder,)), scan)
    return [each.role for each in found.images], [each.path.name for each in found.tables], searched


@pytest.mark.parametrize("others", [(), ("notes.txt", ".DS_Store")])
def test_the_only_table_of_a_folder_is_taken_and_no_image_is_missed(tmp_path, others):
    for name in ("stay.csv", *others):
        (tmp_path / name).write_text("Hours,HR\n0,80\n")
    assert gathered(tmp_path) == ([], ["stay.csv"], [])


def test_a_film_beside_the_table_is_taken_with_it(tmp_path):
    for name in ("stay.CSV", "film.dcm"):
        (tmp_path / name).write_text("")
    assert gathered(tmp_path) == (["film"], ["stay.CSV"], [tmp_path])


def test_of_several_tables_one_is_to_be_named(tmp_path):
    for n in range(4):
        (tmp_path / f"{n}.csv").write_text("")
    with pytest.raises(UsageError, match=r"4 tables would fit: 0.csv, 1.csv, 2.csv and 1 more"):
        gathered(tmp_path)


def test_tables_beside_images_are_left_alone_for_other_models(tmp_path):
    (tmp_path / "people.csv").write_text("")
    films = replace(CARD, inputs=(InputSpec("film", "a film", modalities=("DX",)),))
    assert gathered(tmp_path, films) == (["film"], [], [tmp_path])
