from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of, phantom
from services.stubs import CARD, series_of

from medview.domain.card import InputSpec
from medview.domain.volume import Volume
from medview.io.cards import write_card
from medview.services.offers import (
    card_errors,
    doubt_of,
    offer,
    offer_by_header,
    offer_tables,
    role_of,
    shipped_cards,
)


@pytest.mark.parametrize(
    ("description", "role"),
    [
        ("T1 MPRAGE sag", "t1"),
        ("t1_mprage_sag_p2_iso", "t1"),
        ("MPRAGE", "t1"),
        ("3D SPGR", "t1"),
        ("T1 post-contrast", "t1ce"),
        ("t1_mprage post Gd", "t1ce"),
        ("T1CE", "t1ce"),
        ("T1 +C", "t1ce"),
        ("T2 TSE tra", "t2"),
        ("T2 FLAIR", "flair"),
        ("t2_tirm dark-fluid", "flair"),
        ("AX 3", ""),
        ("sT1W_3D_TFE", "t1"),
        ("3DT1 sag", "t1"),
        ("AXT2", "t2"),
        ("sub-01_T1w", "t1"),
        ("diffuse glioma T1", "t1"),
        ("subject1", ""),
        ("visit2", ""),
        ("patient2_T1", "t1"),
        ("", ""),
    ],
)
def test_the_role_follows_from_what_the_series_is_called(description, role):
    assert role_of(series_of("1.1", description=description)) == (role, "")


@pytest.mark.parametrize(
    ("description", "other"),
    [
        ("DWI b1000", "diffusion images"),
        ("ADC map", "diffusion images"),
        ("SWI", "susceptibility images"),
        ("T2* GRE", "susceptibility images"),
        ("Localizer", "a localizer"),
        ("TOF MRA", "an angiogram"),
        ("bold rest", "functional images"),
    ],
)
def test_series_that_are_something_else_are_called_so(description, other):
    assert role_of(series_of("1.1", description=description)) == ("", other)


@pytest.mark.parametrize("modality", ["CR", "DX"])
def test_a_film_is_a_film_whatever_its_name(modality):
    assert role_of(series_of("1.1", modality=modality, description="T1")) == ("film", "")


def test_a_series_that_fits_is_offered_with_its_role():
    found = offer(CARD, series_of("1.1", description="T1 post-contrast"), phantom(modality="MR"))
    assert (found.fits, found.role) == (True, "t1ce")


def test_a_series_that_does_not_say_what_it_is_takes_the_first_role():
    found = offer(CARD, series_of("1.1", description="AX 3"), phantom(modality="MR"))
    assert (found.fits, found.role) == (True, "t1")


def test_a_file_without_a_modality_is_believed():
    found = offer(CARD, series_of("1.1", modality="", description="head"), phantom())
    assert found.fits


@pytest.mark.parametrize(
    ("series", "why"),
    [
        ({"modality": "CT"}, "needs a T1 volume or slice; this is a CT series"),
        ({"modality": "DX"}, "needs a T1 volume or slice; this is a film"),
        ({"description": "T2 FLAIR"}, "needs a T1 volume or slice; this looks like FLAIR"),
        ({"description": "DWI"}, "needs a T1 volume or slice; this looks like diffusion images"),
    ],
)
def test_what_does_not_fit_is_told_why(series, why):
    found = offer(CARD, series_of("1.1", **series), phantom())
    assert (found.fits, found.why_not) == (False, why)


def test_contrast_is_said_in_words_where_a_model_does_not_take_it():
    plain = replace(CARD, inputs=tuple(spec for spec in CARD.inputs if spec.role == "t1"))
    found = offer(plain, series_of("1.1", description="T1 +C"), phantom())
    assert found.why_not == "needs a T1 volume or slice; this looks like T1 with contrast"


@pytest.mark.parametrize(("slices", "fits"), [(1, True), (151, False)])
def test_a_stack_of_slices_is_no_film(slices, fits):
    film = replace(CARD, inputs=(InputSpec("film", "a frontal chest film", modalities=("DX",)),))
    series = replace(series_of("1.1", modality="", description="head"), size=(24, 20, slices))
    found = offer_by_header(film, series)
    assert found.fits is fits
    assert fits or found.why_not == "needs a frontal chest film; this is a volume of 151 slices"


def test_a_colour_image_does_not_fit():
    colour = Volume(np.zeros((1, 20, 24, 3), np.uint8), geometry_of(shape=(1, 20, 24)))
    found = offer(CARD, series_of("1.1"), colour)
    assert found.why_not == "needs grey values; this is a colour image"


def test_a_picture_without_a_header_is_offered_to_models_of_films_alone():
    bare = replace(geometry_of(shape=(1, 20, 24)), spacing_kind=None, orientation_known=False)
    picture = Volume(np.zeros((1, 20, 24), np.uint8), bare)
    series = series_of("1.1", modality="", description="scan")
    found = offer(CARD, series, picture)
    assert found.why_not.endswith(
        "this picture says neither that it is MR nor how large its pixels are"
    )
    assert offer(CARD, series, replace(picture, modality="MR")).fits
    film = replace(CARD, inputs=(InputSpec("film", "a frontal chest film", modalities=("DX",)),))
    assert offer(film, replace(series, size=(24, 20, 1)), picture).fits


def test_cards_are_found_and_a_damaged_one_hides_none_of_the_others(tmp_path):
    for name in ("anomaly", "cxr"):
        (tmp_path / name).mkdir()
        write_card(replace(CARD, id=name), tmp_path / name / "card.json")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "card.json").write_text("{")
    (tmp_path / "brain-mask").mkdir()
    assert [card.id for card in shipped_cards(tmp_path)] == ["anomaly", "cxr"]
    assert [error.file for error in card_errors(tmp_path)] == ["broken/card.json"]


def test_a_film_that_no_header_calls_one_is_in_doubt_in_words_of_its_own():
    note = doubt_of("film", series_of("1.1", modality=""))
    assert (note.code, note.text) == (
        "MODALITY_DOUBTFUL", "no header says that this is a chest film; taken for one",
    )  # fmt: skip


LONG = (
    ("table (CSV: Hours + variables)", "table"),
    ("structural features: a table (CSV), or a vector", "structural features"),
    ("T1 volume of the head instead of features: regions tell the age", "T1 volume of the head"),
    ("T1 volume or slice, with or without skull", "T1 volume or slice"),
)


@pytest.mark.parametrize(("needs", "short"), LONG)
def test_what_is_missing_and_what_to_do_are_a_short_sentence_each(needs, short):
    card = replace(CARD, inputs=(InputSpec("t1", needs), InputSpec("t1ce", needs)))
    found = offer(card, series_of("1"), phantom(modality="CT"))
    assert found.words == f"needs {short}; this is a CT series. Choose another series."
    table = replace(CARD, inputs=(InputSpec("smri", needs, required=True),))
    assert offer(table, series_of("1"), phantom()).words == (
        f"needs {short}. Open it beside the image."
    )
    assert offer_tables(table, ("fmri",)).words == f"needs {short}. Open it as well."
    assert offer_tables(table, ("smri",)).words == ""


def test_a_table_that_can_be_done_without_is_not_waited_for():
    image, table = InputSpec("t1", "T1 volume", required=True), InputSpec("smri", "a table")
    card = replace(CARD, inputs=(image, table))
    for tables in ((), ("smri",)):
        found = offer(card, series_of("1"), phantom(modality="MR"), tables)
        assert (found.why_not, found.role, found.tables) == ("", "t1", tables)


def test_of_tables_that_are_needed_the_one_that_is_not_open_is_told():
    both = tuple(InputSpec(role, f"{role} table", required=True) for role in ("smri", "fmri"))
    card = replace(CARD, inputs=both)
    assert offer_tables(card, ("smri",)).why_not == "needs fmri table"
    assert offer_tables(card, ("fmri",)).why_not == "needs smri table"
    assert offer_tables(card, ("fmri", "smri")).tables == ("smri", "fmri")
    either = replace(card, inputs=tuple(replace(each, required=False) for each in both))
    assert offer_tables(either, ("fmri",)).tables == ("fmri",)
    assert offer_tables(either, ()).why_not == "needs smri table or fmri table"


def test_no_shipped_model_says_more_than_a_line_of_what_it_needs():
    film = series_of("1", modality="DX")
    for card in shipped_cards():
        found = offer_by_header(card, film)
        assert found.fits or len(found.words) < 110, found.words
