"""Cases of local studies: named without saying who it is, and what answers are labels for."""

import re

from hypothesis import given
from hypothesis import strategies as st

from medview.domain.local_case import ANSWERS_AS_LABELS, NO_LABELS, STATED, case_name

UIDS = st.from_regex(r"[1-9][0-9.]{0,62}[0-9]", fullmatch=True)
KEYS = st.from_regex(r"[0-9a-f]{8}", fullmatch=True)


@given(patient=KEYS, series=UIDS)
def test_a_case_is_named_by_two_hashes_and_always_the_same(patient, series):
    name = case_name(patient, series)
    assert re.fullmatch(rf"{patient}-[0-9a-f]{{6}}", name)
    assert name == case_name(patient, series)
    # A part of the UID as long as the hash would be a trace of it.
    assert len(series) < 6 or series[-6:] not in name.partition("-")[2]


def test_series_of_a_patient_have_names_of_their_own():
    names = {case_name("9f2c41aa", f"1.2.3.{n}") for n in range(500)}
    assert len(names) == 500
    assert {name.partition("-")[0] for name in names} == {"9f2c41aa"}


def test_of_every_model_it_is_said_whether_answers_are_labels():
    assert not set(ANSWERS_AS_LABELS) & set(NO_LABELS)
    assert set(STATED) <= set(ANSWERS_AS_LABELS)
    for words in (*ANSWERS_AS_LABELS.values(), *NO_LABELS.values()):
        assert words.endswith(".")
