import gzip
import zlib

import pytest

from medview.cli.benches.mutants import mutant
from medview.cli.benches.seeds import dicom_seeds, nifti_seeds


@pytest.mark.parametrize("kind", ["dicom", "nifti"])
def test_seed_and_number_say_all_about_a_file(kind):
    assert mutant(kind, 3, 17) == mutant(kind, 3, 17)
    assert mutant(kind, 3, 17) != mutant(kind, 4, 17)


@pytest.mark.parametrize(("kind", "seeds"), [("dicom", dicom_seeds), ("nifti", nifti_seeds)])
def test_most_files_are_damaged(kind, seeds):
    whole = set(seeds())
    damaged = sum(mutant(kind, 0, number) not in whole for number in range(200))
    assert damaged > 150


def unpacks(data):
    try:
        gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return False
    return True


def test_some_damage_lies_inside_compressed_files_and_some_outside():
    compressed = [f for n in range(300) if (f := mutant("nifti", 0, n))[:2] == b"\x1f\x8b"]
    readable = sum(unpacks(data) for data in compressed)
    assert 0 < readable < len(compressed)
