"""An independent checker of DICOM files: dciodvfy of dicom3tools.

It knows the standard of 2022 and is on Debian and Ubuntu and nowhere else; where it is not
installed, objects are checked by the other tests alone.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

CHECKER = shutil.which("dciodvfy")
WHERE_CHECKED = pytest.mark.skipif(
    CHECKER is None, reason="dciodvfy is not installed: apt-get install dicom3tools"
)


def errors(file: Path) -> list[str]:
    """What the checker calls an error; nothing of it has to be excused."""
    done = subprocess.run([CHECKER, file], capture_output=True, text=True, timeout=60, check=False)
    lines = (done.stderr + done.stdout).splitlines()
    return [f"{file.name}: {line}" for line in lines if "Error" in line]
