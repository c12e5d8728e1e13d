"""Errors: a sentence, a code, an exit code; the same on the other side of a process."""

import pickle

import pytest

from medview.domain import errors
from medview.domain.errors import InputRefused, MedviewError, ReadError


def kinds(base=MedviewError):
    """The family, the base first."""
    return [base, *(found for kind in base.__subclasses__() for found in kinds(kind))]


HERE = [kind for kind in kinds() if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", HERE, ids=lambda kind: kind.__name__)
def test_an_error_crosses_a_process_boundary_whole(kind):
    sent = kind("no pixels", file="a.dcm", do="Choose another.", skipped=3, still_works="the rest")
    got = pickle.loads(pickle.dumps(sent))
    assert type(got) is kind
    assert got.as_dict() == sent.as_dict()
    assert str(got) == str(sent) == "a.dcm: no pixels. Choose another."


def test_codes_are_kept_apart():
    codes = [kind.default_code for kind in HERE]
    assert len(set(codes)) == len(codes)


def test_refusals_end_with_3_all_else_as_it_says():
    ends = {kind.__name__: kind.exit_code for kind in HERE}
    refused = {kind.__name__ for kind in kinds(InputRefused)}
    assert {name for name, code in ends.items() if code == 3} == refused
    assert (ends["UsageError"], ends["MedviewError"], ends["Cancelled"]) == (2, 4, 130)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MedviewError("it broke"), "it broke."),
        (MedviewError("it broke."), "it broke."),
        (ReadError("cut short", file="x.nii"), "x.nii: cut short."),
        (ReadError("cut short", do="Copy it again."), "cut short. Copy it again."),
    ],
)
def test_the_sentence_has_its_file_and_what_to_do(error, said):
    assert str(error) == said
