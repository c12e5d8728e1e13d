"""What the program writes by itself, after a day with a study whose every attribute is a canary.

Home, settings, cache and temporary files are folders of this test; every name and every byte in
them is looked through, also in what is packed. Names of files that were there for a moment only
are written down as they are opened.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from canaries import CANARY, tainted_study, traces
from throwaway import throwaway_weights

HERE = Path(__file__).parent
PATIENCE_S = 280
# Results are bound to study and series: these files of the store hold their UIDs.
BOUND = {"index.sqlite", "about.json", "result.json"}
# Written down: each name that is opened for writing, made, or moved to.
HOOK = """
import os, sys
def watch(event, given):
    writes = event == "open" and isinstance(given[0], str) and (given[2] or 0) & 3
    if writes or event in ("os.mkdir", "os.rename", "shutil.move"):
        names = " ".join(str(each) for each in given[:2])
        with_fd = os.open(os.environ["WATCHED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(with_fd, (names + "\\n").encode())
        os.close(with_fd)
def guarded(event, given, busy=[]):
    if not busy:
        busy.append(1)
        try:
            watch(event, given)
        finally:
            busy.clear()
sys.addaudithook(guarded)
"""

ONE_AFTER_ANOTHER = """
import json, sys
from lasting import asked_by_commands, lasting_jobs
from medview.cli import main
with lasting_jobs() as shared, asked_by_commands(shared):
    codes = [main(words) for words in json.loads(sys.argv[1])]
sys.exit(max(codes))
"""


@pytest.fixture
def place(tmp_path):
    """Folders in which a program may write by itself, and the surroundings that name them."""
    for name in ("home", "temp", "hook"):
        (tmp_path / name).mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    xdg = {
        f"XDG_{kind}_HOME": str(tmp_path / "home" / kind) for kind in ("CONFIG", "CACHE", "DATA")
    }
    surroundings = (
        os.environ
        | xdg
        | {
            "HOME": str(tmp_path / "home"),
            "TMPDIR": str(tmp_path / "temp"),
            "MEDVIEW_HOME": str(tmp_path / "own"),
            "WATCHED": str(tmp_path / "watched.txt"),
            "PYTHONPATH": os.pathsep.join((str(tmp_path / "hook"), str(HERE.parent))),
            "QT_QPA_PLATFORM": "offscreen",
        }
    )
    return tmp_path, surroundings


def run(place, *words):
    folder, surroundings = place
    done = subprocess.run(
        [sys.executable, *map(str, words)], env=surroundings, cwd=folder, timeout=PATIENCE_S,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def opened(folder, *apart):
    """Names that were opened for writing and hold a canary, but for those below `apart`."""
    lines = (folder / "watched.txt").read_text().splitlines()
    assert lines
    return [
        line for line in lines if CANARY in line and not any(str(each) in line for each in apart)
    ]


def test_a_day_at_the_window_leaves_no_trace_of_the_patient(place):
    folder, _ = place
    # The first study is read in private mode, the second is not.
    for number in "01":
        tainted_study(folder / "studies" / f"{CANARY} {number}")
    done = run(place, HERE / "canary_window.py", folder / "studies", folder / "out")
    assert CANARY not in done.stderr + done.stdout
    assert traces(folder / "home", folder / "temp") == {}
    own = traces(folder / "own")
    kept = {name: what for name, what in own.items() if Path(name).name not in BOUND}
    # Which folder was opened last is remembered outside private mode, and nowhere else.
    assert kept == {"settings.json": {"text"}}
    settings = (folder / "own" / "settings.json").read_text()
    assert f"{CANARY} 1" in settings
    assert f"{CANARY} 0" not in settings
    assert all(what == {"uid"} for name, what in own.items() if Path(name).name in BOUND)
    assert traces(folder / "out" / "0") == {}
    assert set(traces(folder / "out")) == {"1/report.pdf"}
    assert opened(folder) == []
    written = {path.name for path in (folder / "own").rglob("*") if path.is_file()}
    assert {"medview.log", "audit.jsonl", "settings.json"} <= written
    assert "index.sqlite" in written
    for name in ("workspaces", "results/drafts", "results/data"):
        assert list((folder / "own" / name).iterdir()), name
    assert CANARY not in (folder / "debug.log").read_text()
    assert readable_by_others(folder / "own") == []


def readable_by_others(own):
    """Files that stand open to others; below the folder of a store its own rights protect them."""
    assert not own.stat().st_mode & 0o077
    return [path for path in own.iterdir() if path.is_file() and path.stat().st_mode & 0o077]


def test_commands_in_private_leave_no_trace_of_the_patient(place):
    folder, _ = place
    study = tainted_study(folder / "studies" / CANARY)
    weights = throwaway_weights(folder / "weights")
    fast = ("--private", "--quiet", "--json", "--threads", "1", "--device", "cpu")
    out, model = folder / "out", ("--weights", weights, "--samples", "2")
    commands = (
        ("run", "anomaly", study, "--out", out / "run", *model),
        ("batch", "anomaly", folder / "studies", "--out", out / "batch", *model),
        ("report", out / "run", "--out", out / "report.pdf"),
        ("render", study, "--plane", "axial", "--slice", "12", "--out", out / "slice.png"),
        ("convert", study, "--out", out / "converted"),
        ("info", folder / "studies"),
        ("deidentify", study, "--result", out / "run", "--out", out / "copy"),
    )
    words = [[str(word) for word in (*each, *fast)] for each in commands]
    # One after another in one process, with the same children: seven starts would take longer.
    done = run(place, "-c", ONE_AFTER_ANOTHER, json.dumps(words))
    assert CANARY not in done.stdout + done.stderr
    assert traces(folder / "home", folder / "temp", folder / "own") == {}
    left = traces(out)
    assert {name: what for name, what in left.items() if Path(name).name != "result.json"} == {}
    assert all(what == {"uid"} for what in left.values())
    assert opened(folder) == []
