"""The hash of a patient, by which weights know whom they have learnt from."""

import pytest

from medview.learning.patients import patient_hash


@pytest.mark.parametrize(
    ("patient", "told"),
    [
        ("ann", "0b432d571e672255"),
        ("IXI002", "f76a95ad14307c37"),
        ("", "58ca3ac1d8555f21"),
        ("Jörg", "fbcdc9e1953749a2"),
    ],
)
def test_a_patient_is_known_again_by_weights_of_earlier_versions(patient, told):
    assert patient_hash(patient) == told


def test_a_name_is_told_from_a_like_one():
    assert len({patient_hash(name) for name in ("p1", "P1", "p1 ", "p10")}) == 4
