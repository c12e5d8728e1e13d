"""Which of the given series goes into which input of a model."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from phantoms import phantom
from services.stubs import CARD, catalogue_of, series_of

from medview.domain.card import InputSpec
from medview.domain.errors import InputRefused, ModelInputError, UsageError
from medview.domain.study import Catalogue
from medview.io.hashing import file_sha256, volume_sha256
from medview.services.inputs import Wanted, gather

STUDY = Path("study")
T1_OR_T1CE = replace(
    CARD,
    inputs=(InputSpec("t1", "a T1 volume", required=True), InputSpec("t1ce", "one with contrast")),
)


def gathered(wanted, *series, card=T1_OR_T1CE):
    found = gather(card, wanted, lambda paths: catalogue_of(*series))
    return {each.role: each.series.uid for each in found.images}, list(found.notes), found.images


def bare(*series, key=None):
    return gathered(Wanted((STUDY,), series=key), *series)


def test_of_a_study_the_series_that_fits_is_taken_by_its_header():
    found, notes, _ = bare(
        series_of("1", description="localizer"),
        series_of("2", description="T2 FLAIR"),
        series_of("3", description="T1 MPRAGE"),
        series_of("4", description="chest", modality="CT"),
    )
    assert (found, notes) == ({"t1": "3"}, [])


def test_plain_and_contrast_go_into_their_own_inputs():
    found, _, _ = bare(series_of("1", description="T1"), series_of("2", description="T1 +C"))
    assert found == {"t1": "1", "t1ce": "2"}


def test_several_for_an_input_that_can_be_done_without_are_left_out_and_told():
    found, notes, _ = bare(
        series_of("1", description="T1"),
        series_of("2", description="T1 Gd sag"),
        series_of("3", description="T1 Gd tra"),
    )
    assert found == {"t1": "1"}
    assert [note.code for note in notes] == ["UNUSED_INPUT"]


@pytest.mark.parametrize("words", ["T1", "T1 Gd", "unclear"])
def test_several_that_would_do_are_a_question_to_the_user(words):
    with pytest.raises(UsageError, match=r"1#0 .*2#0 .*--series"):
        bare(series_of("1", description=words), series_of("2", description=words))


def test_a_series_that_is_named_is_taken_and_an_unknown_one_refused():
    two = (series_of("1", description="T1"), series_of("2", description="T1"))
    assert bare(*two, key="2")[0] == {"t1": "2"}
    assert bare(*two, key="2#0")[0] == {"t1": "2"}
    with pytest.raises(InputRefused, match='no series "9"'):
        bare(*two, key="9")
    with pytest.raises(ModelInputError, match="looks like T2"):
        bare(*two, series_of("3", description="T2"), key="3")


def test_what_no_header_tells_is_told_by_the_file_name():
    file = Path("/data/anybody/sub-1_T1w.nii.gz")
    found, _, given = bare(series_of("1", description="", modality="", files=(file,)))
    assert found == {"t1": "1"}
    assert given[0].notes == ()


def test_what_nothing_tells_is_taken_for_the_first_input_with_a_note():
    found, _, given = bare(series_of("1", description="head", modality=""))
    assert found == {"t1": "1"}
    (note,) = given[0].notes
    assert note.code == "MODALITY_DOUBTFUL"
    assert "MR" in note.text
    _, _, given = bare(series_of("1", description="head"))
    assert "MR" not in given[0].notes[0].text


def test_who_names_the_input_is_believed_over_the_header_but_not_over_the_modality():
    named = Wanted(named=(("t1ce", STUDY),))
    found, _, given = gathered(named, series_of("1", description="T2 TSE"))
    assert found == {"t1ce": "1"}
    (note,) = given[0].notes
    assert (note.code, "T2" in note.text) == ("OUTSIDE_TRAINING", True)
    with pytest.raises(ModelInputError, match="CT series"):
        gathered(named, series_of("1", description="T1", modality="CT"))


@pytest.mark.parametrize(
    ("role", "words", "name", "said"),
    [
        ("t1", "", "sub-3_FLAIR.nii.gz", "FLAIR"),
        ("t1", "T1 Gd", "", "T1CE"),
        ("t1", "ep2d diff", "", "diffusion images"),
        ("t1", "head", "", ""),
        ("t1ce", "T1 MPRAGE", "", ""),
    ],
)
def test_a_name_that_says_otherwise_than_who_gave_it_is_told(role, words, name, said):
    files = (Path("/data/anybody") / name,) if name else ()
    series = series_of("1", description=words, files=files)
    _, _, given = gathered(Wanted(named=((role, STUDY),)), series)
    assert len(given[0].notes) == bool(said)
    assert all(said in note.text and role in note.text for note in given[0].notes)


@pytest.mark.parametrize(
    ("role", "modality", "part", "told"),
    [
        ("film", "DX", "HAND", True),
        ("film", "CR", "SKULL", True),
        ("film", "DX", "CHEST", False),
        ("film", "DX", "CHESTABDOMEN", False),
        ("film", "DX", "", False),
        ("t1", "MR", "KNEE", True),
        ("t1", "MR", "HEADNECK", False),
        ("t1", "MR", "WHOLEBODY", False),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_another_part_of_the_body_is_told(role, modality, part, told, named):
    spec = InputSpec(role, "an image", required=True, modalities=(modality,))
    wanted = Wanted(named=((role, STUDY),)) if named else Wanted((STUDY,))
    series = series_of("1", modality=modality, body_part=part)
    _, _, (given,) = gathered(wanted, series, card=replace(CARD, inputs=(spec,)))
    assert [note.code for note in given.notes] == ["OUTSIDE_TRAINING"] * told
    assert all(part in note.text for note in given.notes)


def test_under_a_named_path_the_series_called_so_is_taken():
    named = Wanted(named=(("t1ce", STUDY),))
    two = (series_of("1", description="T1"), series_of("2", description="T1 Gd"))
    assert gathered(named, *two)[0] == {"t1ce": "2"}


def test_an_input_that_this_model_has_not_is_noted_or_all_there_is():
    both = Wanted((STUDY,), named=(("t2", STUDY),))
    found, notes, _ = gathered(both, series_of("1", description="T1"))
    assert found == {"t1": "1"}
    assert "does not use t2" in notes[0].text
    with pytest.raises(ModelInputError, match="needs a T1 volume"):
        gathered(Wanted(named=(("t2", STUDY),)), series_of("1"))
    with pytest.raises(UsageError, match="no input called t9"):
        gathered(Wanted(named=(("t9", STUDY),)), series_of("1"))


def test_nothing_given_and_nothing_found_are_different_mistakes():
    with pytest.raises(UsageError, match="nothing to run on"):
        gathered(Wanted())
    with pytest.raises(InputRefused, match="holds no images"):
        gather(T1_OR_T1CE, Wanted((STUDY,)), lambda paths: Catalogue())


def test_the_reference_says_which_pixels_the_model_gets():
    _, _, given = bare(series_of("1.1", description="T1", stack=2))
    volume = phantom()
    found = given[0].reference(volume)
    assert (found.role, found.study, found.series, found.stack) == ("t1", "1.2", "1.1", 2)
    assert found.sha256 == volume_sha256(volume)
    assert found.size == volume.geometry.shape[::-1]


def test_tables_go_by_their_role_or_by_their_name(tmp_path):
    card = replace(CARD, inputs=(InputSpec("smri", "features"), InputSpec("fmri", "connectivity")))
    structure, function = tmp_path / "brain.csv", tmp_path / "fmri_conn.npy"
    structure.write_text("a,b\n1,2\n", "utf-8")
    np.save(function, np.zeros(6))
    found = gather(card, Wanted((structure, function)), lambda paths: catalogue_of())
    assert {each.role: each.path for each in found.tables} == {"smri": structure, "fmri": function}
    first, second = (each.reference() for each in found.tables)
    assert (first.size, second.size) == ((2, 1, 1), (6, 1, 1))
    assert first.sha256 == file_sha256(structure)
    assert not found.images


def test_a_packed_table_is_one_and_a_folder_called_like_one_is_told_as_such(tmp_path):
    card = replace(CARD, inputs=(InputSpec("smri", "features"),))
    packed, folder = tmp_path / "brain.CSV.gz", tmp_path / "brain.csv"
    packed.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    folder.mkdir()
    found = gather(card, Wanted((packed,)), lambda paths: catalogue_of())
    assert [each.role for each in found.tables] == ["smri"]
    with pytest.raises(InputRefused, match=r"brain\.csv: is a folder\. Choose the table in it"):
        gather(card, Wanted((folder,)), lambda paths: catalogue_of())


def test_a_table_is_refused_by_a_model_of_images(tmp_path):
    table = tmp_path / "values.csv"
    table.write_text("a\n1\n", "utf-8")
    with pytest.raises(ModelInputError, match="this is a table"):
        gather(CARD, Wanted((table,)), lambda paths: catalogue_of())


def test_two_files_for_one_input_are_a_question_to_the_user():
    named = (("t1", Path("one.nii")), ("t1", Path("two.nii")))
    with pytest.raises(UsageError, match=r"two\.nii: two files are given for t1"):
        gathered(Wanted(named=named), series_of("1", description="T1"))


@pytest.mark.parametrize("by_name", [0, 1])
def test_two_tables_for_one_input_are_a_question_to_the_user(tmp_path, by_name):
    card = replace(CARD, inputs=(InputSpec("series", "a stay"),))
    paths = (tmp_path / "one.csv", tmp_path / "two.csv")
    for path in paths:
        path.write_text("Hours,HR\n1,80\n", "utf-8")
    named = tuple(("series", path) for path in paths[:by_name])
    with pytest.raises(UsageError, match=r"two\.csv: two files are given for series"):
        gather(card, Wanted(paths[by_name:], named), lambda _: catalogue_of())


def test_an_image_beside_one_that_was_named_for_its_input_is_told_as_not_used():
    wanted = Wanted((STUDY,), named=(("t1", Path("mine.nii")),))
    found = gather(CARD, wanted, lambda paths: catalogue_of(series_of(
        "1" if paths == (STUDY,) else "2", description="T1")))  # fmt: skip
    assert [(each.role, each.series.uid) for each in found.images] == [("t1", "2")]
    assert [note.code for note in found.notes] == ["UNUSED_INPUT"]


def test_an_input_that_the_model_has_not_is_named_with_those_it_has():
    with pytest.raises(ModelInputError, match="has no input flair; it needs") as caught:
        gathered(Wanted(named=(("flair", Path("a.nii")),)), series_of("1", description="FLAIR"))
    assert "t1, t1ce" in caught.value.do
