import pytest

from medview.cli.benches import seeds
from medview.cli.benches.ct_series import SYNTAXES
from medview.cli.benches.seeds import LARGEST_BORROWED, dicom_seeds, nifti_seeds
from medview.domain.progress import Silent
from medview.io.readers import load, scan

MADE = len(seeds._MADE) + len(SYNTAXES)


def read(folder, data, suffix):
    path = folder / f"seed{suffix}"
    path.write_bytes(data)
    [series] = scan(Silent(), (path,)).all_series()
    return load(Silent(), series)


@pytest.mark.parametrize("number", range(MADE))
def test_every_dicom_seed_made_here_is_a_whole_image(tmp_path, number):
    volume = read(tmp_path, dicom_seeds()[number], ".dcm")
    assert volume.array.shape[1:3] == (24, 24)
    assert volume.array.min() < volume.array.max()


@pytest.mark.parametrize("number", range(8))
def test_every_nifti_seed_is_a_whole_volume(tmp_path, number):
    volume = read(tmp_path, nifti_seeds()[number], ".nii.gz" if number >= 4 else ".nii")
    assert volume.array.shape == (4, 5, 6)
    assert volume.geometry.spacing_mm == (2.0, 1.0, 1.0)


def test_the_borrowed_files_are_small_and_of_many_kinds():
    borrowed = dicom_seeds()[MADE:]
    assert len(borrowed) > 20
    assert max(map(len, borrowed)) <= LARGEST_BORROWED
