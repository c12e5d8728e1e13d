"""What the files of a series say of it: each used once, none overwritten, all doubts told."""

from __future__ import annotations

import pytest
from dicom_files import (
    catalogue,
    codes,
    compressed,
    enhanced,
    image,
    marked_slice,
    only,
    save,
    slice_at,
    stack,
    two_phases,
    write,
)
from pydicom.uid import JPEGBaseline8Bit
from states import annotation, graphic, state_of

from medview.domain.progress import Silent
from medview.io import readers


def texts(series, code):
    """What the warnings of a code say."""
    return [note.text for note in series.warnings if note.code == code]


def test_a_file_that_is_there_twice_is_used_once(tmp_path):
    datasets = stack()
    save([*datasets, *datasets[2:4], datasets[2]], tmp_path)
    found = catalogue(tmp_path)
    (series,) = found.all_series()
    assert codes(series) == ["DUPLICATE"]
    assert texts(series, "DUPLICATE")[0].startswith("3 images were there more than once")
    assert series.size == (9, 6, 8)
    assert len(series.files) == 8
    assert (found.files, found.read) == (11, 11)


def test_the_same_uid_with_other_pixels_is_a_conflict_and_both_are_kept(tmp_path):
    datasets = stack()
    other = slice_at(45.0, value=777, SOPInstanceUID=datasets[2].SOPInstanceUID)
    found = catalogue(save([*datasets, other], tmp_path)).all_series()
    told = [text for series in found for text in texts(series, "CONFLICT")]
    assert "1 image with the UID of another, and not like it" in told
    assert all("CONFLICT" in codes(series) for series in found)
    assert sum(len(series.files) for series in found) == 9


def undecodable(**elements):
    """An image under a transfer syntax that nobody knows."""
    return compressed(image(marked_slice(0), **elements), "1.2.840.10008.1.2.4.999", [b"\0\1\2\3"])


@pytest.mark.parametrize(
    "pair",
    [
        lambda uid: [image(marked_slice(0), RescaleSlope=n, SOPInstanceUID=uid) for n in (1, 2)],
        lambda uid: [undecodable(SOPInstanceUID=uid) for _ in range(2)],
    ],
    ids=["another slope", "cannot be decoded"],
)
def test_copies_are_those_whose_values_are_known_to_be_the_same(pair, tmp_path):
    paths = [write(ds, tmp_path / f"{n}.dcm") for n, ds in enumerate(pair("1.2.3.4.5"))]
    found = catalogue(tmp_path).all_series()
    assert sorted(path for series in found for path in series.files) == paths
    assert not any("DUPLICATE" in codes(series) for series in found)
    assert all("CONFLICT" in codes(series) for series in found)


def test_frames_of_one_file_share_its_uid_and_are_no_copies(tmp_path):
    places = [{"PlanePositionSequence": {"ImagePositionPatient": [0, 0, k]}} for k in range(3)]
    series, _ = only(write(enhanced([marked_slice(0)] * 3, places), tmp_path / "x.dcm"))
    assert (series.size[2], codes(series)) == (3, [])
    assert series.slots == ((0, 0), (0, 1), (0, 2))


def test_each_slice_of_each_time_knows_its_file_and_one_that_is_missing_has_none(tmp_path):
    datasets = two_phases("EchoTime", (4.6, 9.2))
    for n, ds in enumerate(datasets):
        ds.SOPInstanceUID = f"1.9.{n}"
    del datasets[8 + 5]
    (series,) = catalogue(save(datasets, tmp_path)).all_series()
    assert series.slots == (*((n, 0) for n in range(13)), None, (13, 0), (14, 0))
    first, last = (readers.load(Silent(), series, time).array[:, 1, 2] for time in (0, 1))
    assert first.tolist() == list(range(1000, 1008))
    assert last[:5].tolist() == list(range(1500, 1505))


@pytest.mark.parametrize(
    ("elements", "sex", "birth"),
    [({"PatientSex": "F", "PatientBirthDate": "19500101"}, "F", "1950-01-01"), ({}, None, None)],
)
def test_what_a_file_does_not_say_of_the_patient_is_unknown(elements, sex, birth, tmp_path):
    found = catalogue(save([image(marked_slice(0), **elements)], tmp_path))
    assert (found.patients[0].sex, found.patients[0].birth_date) == (sex, birth)


@pytest.mark.parametrize(
    ("differing", "studies", "series"),
    [
        ({}, 1, 1),
        ({"SeriesNumber": 2}, 1, 2),
        ({"Modality": "CT"}, 1, 2),
        ({"StudyDate": "20260101"}, 2, 2),
    ],
)
def test_without_uids_number_modality_and_date_tell_series_apart(
    differing, studies, series, tmp_path
):
    bare = {"StudyInstanceUID": "", "SeriesInstanceUID": "", "SeriesNumber": 1}
    one, other = slice_at(0.0, 5, **bare), slice_at(2.5, 6, **(bare | differing))
    found = catalogue(save([one, other], tmp_path))
    assert len(found.patients[0].studies) == studies
    assert len({each.uid for each in found.all_series()}) == series


def test_without_uids_each_folder_is_a_study(tmp_path):
    bare = {"StudyInstanceUID": "", "SeriesInstanceUID": ""}
    for folder in "ab":
        save([slice_at(0.0, 5, **bare)], tmp_path / folder)
    uids = {(each.study_uid, each.uid) for each in catalogue(tmp_path).all_series()}
    assert len(uids) == len({study for study, _ in uids}) == 2


@pytest.mark.parametrize(
    ("syntax", "expected", "said"),
    [
        (JPEGBaseline8Bit, ["LOSSY"], None),
        ("1.2.840.10008.1.2.4.999", ["SYNTAX_UNKNOWN"], "stored as an unknown transfer syntax"),
        ("1.2.840.10008.1.2.4.100", ["LOSSY", "SYNTAX_UNKNOWN"], "stored as MPEG2"),
    ],
)
def test_how_the_images_are_packed_is_told_once(syntax, expected, said, tmp_path):
    for n in range(2):
        frame = compressed(slice_at(2.5 * n), syntax, [b"\xff\xd8\xff\xd9"])
        write(frame, tmp_path / f"{n}.dcm")
    (series,) = catalogue(tmp_path).all_series()
    assert codes(series) == expected
    assert series.lossy is ("LOSSY" in expected)
    if said:
        (text,) = texts(series, "SYNTAX_UNKNOWN")
        assert text.startswith(said)
        assert text.endswith(f"({syntax}), which cannot be decoded")


@pytest.mark.parametrize(
    ("side", "first_mm", "doubtful"),
    [
        # Nine columns of 0.5 mm: from here to 4 mm further; positive is the patient's left.
        ("R", 20.5, "the file names the right side, its positions lie on the left"),
        ("R", 19.5, ""),
        ("L", -24.5, "the file names the left side, its positions lie on the right"),
        ("L", -23.5, ""),
    ],
)
def test_only_what_lies_clearly_beside_the_middle_is_on_the_other_side(
    side, first_mm, doubtful, tmp_path
):
    place = [first_mm, -80.0, 40.0]
    ds = image(marked_slice(0), Laterality=side, ImagePositionPatient=place)
    series, _ = only(save([ds], tmp_path))
    assert texts(series, "SIDE_DOUBTFUL") == ([f"{doubtful}; check the side"] if doubtful else [])


def test_states_of_one_name_are_numbered_and_each_is_only_with_its_own_images(tmp_path):
    one = image(marked_slice(0))
    other = image(marked_slice(0), SeriesInstanceUID="1.2.3.9")
    drawn = [annotation(graphic("POINT", [(2.5, 1.5)]))]
    told = (("LUNG", "20260103"), ("BONE", "20260102"), ("LUNG", "20260101"))
    own = [state_of([one], drawn, ContentLabel=a, PresentationCreationDate=b) for a, b in told]
    found = catalogue(save([one, other, *own, state_of([other], ContentLabel="LUNG")], tmp_path))
    labels = {s.uid: [state.label for state in s.presentations] for s in found.all_series()}
    assert labels == {"1.2.3.4": ["LUNG 1", "BONE", "LUNG 2"], "1.2.3.9": ["LUNG"]}
