"""Every row of PS3.15 table E.1-1: what stands in the written file where a canary stood."""

import re
from pathlib import Path

import gdcm
import pydicom
import pytest
from canaries import CANARY, REFERENCED, attributes, canary, filled, kind_of, tainted
from dicom_files import write
from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset

from medview.domain.progress import Silent
from medview.io.confidentiality import EDITION, actions, new_uids, take_identity_out
from medview.io.deidentify import deidentify_into

# The same table from elsewhere, and what was added to the standard after it was read.
ELSEWHERE = Path(__file__).with_name("table_e1_1.csv")
ADDED_SINCE = """
    00081301 00081302 00081303 00081304 00100011 00100012 00100013 00100014 00100015 00100016
    00100041 00100042 00100043 00100044 00100045 00100046 00100047 00102162 00181010 00181011
    003a0020 003a0203 003a020c 00400556 0040a034 0040a035 0040b020 0040b034 0040b036 0040b03b
    0040b03f 0040e012 00700006
""".split()  # noqa: SIM905  # a list literal would take a line each
CODES = ("X", "Z", "D", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*")
# These say in every copy what was done; what stood there before is gone as well.
OWN = {tag_for_keyword(name) for name in ("PatientName", "PatientID")}


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The data set with all canaries before, and the file that was written of it."""
    folder = tmp_path_factory.mktemp("e1-1")
    (folder / "in").mkdir()
    before = tainted(BurnedInAnnotation="NO")
    write(before, folder / "in" / f"{CANARY}.dcm")
    body = deidentify_into(Silent(), (folder / "in",), folder / "out", with_burned_in=True)
    assert (body["files"], body["withheld"]) == (1, [])
    (file,) = (folder / "out").rglob("*.dcm")
    return before, file


def rows():
    """Table E.1-1 as it was read elsewhere: tag or mask, and action."""
    lines = [line for line in ELSEWHERE.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split(",") for line in lines)


def test_the_table_is_whole_and_equal_to_one_from_elsewhere():
    second = rows()
    masks = {tag for tag in second if "x" in tag}
    single = {tag: code for tag, code in second.items() if tag not in masks}
    ours = {f"{tag:08x}": code for tag, code in actions().items()}
    assert {tag: ours.get(tag) for tag in single} == single
    assert sorted(set(ours) - set(single)) == ADDED_SINCE
    assert masks == {"50xxxxxx", "60xx3000", "60xx4000"}
    every = dicom_anonymization_database_selector(EDITION)["ALL_TAGS"]
    assert len(every) == 655 == len(ours) + len(masks)


def test_what_another_library_takes_for_identifying_is_in_the_table():
    theirs = gdcm.Anonymizer.GetBasicApplicationLevelConfidentialityProfileAttributes()
    tags = {each.GetGroup() << 16 | each.GetElement() for each in theirs}
    assert len(tags) > 40
    assert {f"{tag:08x}" for tag in tags if tag not in actions()} == set()


def holders(file):
    """The data set, and the item two sequences deep that held the same canaries."""
    found = pydicom.dcmread(file)
    return found, found.ProcedureCodeSequence[0].AnatomicRegionSequence[0]


def is_done(found, tag, code):
    """True when an attribute of a cleaned data set is what its code asks for."""
    if code == "X":
        return tag not in found
    if tag not in found:
        return False
    value = found[tag].value
    if code in ("Z", "X/Z"):
        return not value
    if code == "X/Z/U*":
        return is_another(value[0].ReferencedSOPInstanceUID, REFERENCED)
    if found[tag].VR == "UI":
        return is_another(value, canary(attributes().index(tag), "UI"))
    if found[tag].VR == "SQ":
        return is_another(value[0].ReferencedSOPInstanceUID, REFERENCED) and (
            value[0].CodeMeaning == "ANONYMIZED"
        )
    return value != canary(attributes().index(tag), kind_of(tag)) and value is not None


def is_another(uid, old):
    return str(uid).startswith("2.25.") and uid != old


@pytest.mark.parametrize("code", CODES)
def test_each_row_of_the_table_is_done_at_the_top_and_in_sequences(copied, code):
    before, file = copied
    top, nested = holders(file)
    tags = [tag for tag, known in actions().items() if known == code and tag in before]
    assert tags
    wrong = [
        (f"{tag:08x}", keyword_for_tag(tag), where)
        for tag in tags
        for where, found in (("top", top), ("nested", nested))
        if not is_done(found, tag, code) and not (where == "top" and tag in OWN)
    ]
    assert wrong == []


def test_every_attribute_was_there_before():
    put = tainted()
    gone = {tag for tag in attributes() if tag not in put}
    # These two have the file held back; what is done to them is tried on a data set.
    assert {keyword_for_tag(tag) for tag in gone} == {"EncapsulatedDocument", "ContentSequence"}
    elsewhere = set(actions()) - set(attributes())
    assert {f"{tag:08x}" for tag in elsewhere} == {"00001000", "00001001", "00020003"}


def test_what_no_copied_file_holds_is_cleaned_all_the_same():
    found = filled(Dataset(), [0x0000_1000, 0x0000_1001, 0x0042_0011, 0x0040_A730])
    take_identity_out(found, new_uids(b"key"))
    assert 0x0000_1000 not in found
    assert is_another(found[0x0000_1001].value, "1.2.777.9.1")
    assert CANARY.encode() not in found.EncapsulatedDocument
    assert found.ContentSequence[0].CodeMeaning == "ANONYMIZED"


def test_the_same_uid_becomes_the_same_wherever_it_stood(copied):
    _, file = copied
    top, nested = holders(file)
    uids = [tag for tag, code in actions().items() if code == "U" and tag in nested]
    kept_apart = {tag_for_keyword("SOPInstanceUID")}
    assert len(uids) > 40
    assert all(top[tag].value == nested[tag].value for tag in set(uids) - kept_apart)
    assert len({nested[tag].value for tag in uids}) == len(uids)
    references = {
        item.ReferencedSOPInstanceUID
        for found in (top, nested)
        for name in ("ReferencedImageSequence", "SourceImageSequence")
        for item in found[name].value
    }
    assert len(references) == 1
    assert top.file_meta.MediaStorageSOPInstanceUID == top.SOPInstanceUID
    classes = {item.ReferencedSOPClassUID for item in top.ReferencedImageSequence}
    assert classes == {top.SOPClassUID}


def test_no_canary_is_left_in_the_bytes(copied):
    before, file = copied
    content = file.read_bytes()
    assert CANARY.encode() not in content
    assert CANARY.encode("utf-16-le") not in content
    assert CANARY not in file.name
    assert not re.search(rb"1\.2\.777\.", content)
    found = pydicom.dcmread(file)
    left = {
        str(element.value)
        for element in found.iterall()
        if element.VR in ("DA", "DT", "TM", "AS", "DS", "IS", "US")
    }
    told = {
        str(element.value)
        for element in before.iterall()
        if element.VR in ("DA", "DT", "TM", "AS", "DS", "IS", "US") and element.tag in actions()
    }
    assert len(told) > 150
    assert not left & told


@pytest.mark.parametrize("first", [0x5000, 0x6000])
def test_none_of_sixteen_overlays_and_curves_stays(first):
    found = Dataset()
    for group in range(first, first + 0x20, 2):
        found.add_new((group, 0x0010), "US", 6)
        found.add_new((group, 0x0022), "LO", CANARY)
    found.Rows = 6
    take_identity_out(found, new_uids(b"key"))
    assert [element.keyword for element in found] == ["Rows"]


def test_private_unknown_overlay_and_curve_attributes_and_unlisted_names_are_gone(copied):
    top, _ = holders(copied[1])
    wrong = [
        element.tag
        for element in top.iterall()
        if element.tag.is_private or element.tag.group & 0xFF00 in (0x5000, 0x6000)
    ]
    assert wrong == []
    assert (0x0008, 0x7777) not in top
    assert not top.get((0x0040, 0xA067)).value
    meta = {element.keyword for element in top.file_meta}
    assert "MediaStorageSOPInstanceUID" in meta
    assert not meta & {"SourceApplicationEntityTitle", "SendingApplicationEntityTitle"}
    assert not meta & {"PrivateInformation", "PrivateInformationCreatorUID"}


def test_a_key_gives_other_uids_than_another_and_those_of_the_standard_stay():
    one, other = new_uids(b"a"), new_uids(b"b")
    assert one("1.2.3") == one("1.2.3") != other("1.2.3")
    assert one("1.2.3") != one("1.2.4")
    assert one("1.2.840.10008.1.2.1") == "1.2.840.10008.1.2.1"
    assert one("") == ""


@pytest.mark.parametrize(
    ("keyword", "value", "stays"),
    [
        ("MultiFrameSourceSOPInstanceUID", "1.2.777.8", False),
        ("TargetFrameOfReferenceUID", "1.2.777.8", False),
        ("SOPClassesInStudy", ["1.2.777.8", "1.2.777.9"], True),
        ("IrradiationEventUID", ["1.2.777.8", "1.2.777.9"], False),
        ("EchoTime", "12.5", True),
    ],
)
def test_beyond_the_table_uids_of_things_are_replaced_and_kinds_stay(keyword, value, stays):
    found = Dataset()
    setattr(found, keyword, value)
    take_identity_out(found, new_uids(b"key"))
    after = found[keyword].value
    given, there = (each if isinstance(value, list) else [each] for each in (value, after))
    assert ([str(each) for each in there] == given) is stays
    assert all(str(each).startswith("2.25.") for each in there) is not stays
