"""Files that are named by the ways of another system."""

import sys
from pathlib import Path

import pytest

from medview.domain.errors import ReadError
from medview.io.named_files import file_named, is_elsewhere
from medview.io.sources import find_files

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these are its own ways")


def test_a_way_of_windows_leads_below_the_folder():
    assert file_named(Path("/d"), r"a\b.nii") == Path("/d/a/b.nii")
    assert file_named(Path("/d"), r"..\b.nii") == Path("/d/../b.nii")


def test_only_full_paths_of_windows_are_elsewhere():
    named = [r"C:\a.nii", "c:/a.nii", r"\\s\a.nii", r"a\b.nii", "a:b.nii", "/a.nii"]
    assert [is_elsewhere(each) for each in named] == [True, True, True, False, False, False]


@pytest.mark.parametrize("text", [r"C:\Users\Doe\a.nii.gz", "C:/Users/Doe/a.nii.gz"])
def test_a_run_of_such_a_file_says_so_and_names_no_folder(tmp_path, text):
    with pytest.raises(ReadError, match="full path of Windows") as told:
        list(find_files([file_named(tmp_path, text)]))
    assert told.value.file == "a.nii.gz"
