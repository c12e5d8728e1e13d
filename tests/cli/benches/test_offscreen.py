"""What a process of its own prints last is its answer."""

import pytest

from medview.cli.benches.offscreen import told_by
from medview.domain.errors import WorkerDied

TOLD = """
import json, os, sys
print("something before")
print(json.dumps([os.environ["MEDVIEW_HOME"], os.environ["QT_QPA_PLATFORM"], *sys.argv[1:]]))
"""


def test_the_last_line_is_the_answer(tmp_path, monkeypatch):
    (tmp_path / "told.py").write_text(TOLD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = told_by("told", tmp_path / "home", "a", 2)
    assert found == [str(tmp_path / "home"), "offscreen", "a", "2"]


def test_one_that_ends_badly_is_an_error(tmp_path):
    with pytest.raises(WorkerDied, match="ended with 1"):
        told_by("no_such_module", tmp_path)
