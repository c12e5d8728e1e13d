"""``medview batch`` with untrained weights, through the real children."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from throwaway import save_nifti, small_head, throwaway_weights

from medview.cli import main

pytestmark = pytest.mark.usefixtures("lasting_children")

FAST = ("--samples", "2", "--threads", "1", "--device", "cpu", "--quiet", "--json")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return throwaway_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two heads and a file that is called one and is none."""
    folder = tmp_path_factory.mktemp("cases")
    for name in ("one_T1", "two_T1"):
        save_nifti(small_head(), folder / f"{name}.nii.gz")
    (folder / "broken_T1.nii.gz").write_bytes(b"no image")
    return folder


def answer(capfd, *words):
    code = main([*map(str, words), *FAST])
    return code, json.loads(capfd.readouterr().out)


def stable(result):
    """What must be equal between two runs of one case."""
    kept = ("scores", "findings", "inputs", "parameters", "weights_sha256", "seed")
    return {name: result[name] for name in kept}


def test_a_folder_gives_a_result_each_equal_to_run_and_goes_on_where_it_stopped(
    folder, weights, tmp_path, capfd
):
    out = tmp_path / "out"
    given = ("batch", "anomaly", folder, "--out", out, "--weights", weights)
    code, told = answer(capfd, *given)
    assert (code, told["schema"], told["done"]) == (1, "medview.batch/1", 2)
    assert [(one["case"], one["code"]) for one in told["failed"]] == [("broken_T1", "MV-IO-001")]
    assert json.loads((out / "batch.json").read_text())["done"] == 2
    with (out / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == ["one_T1", "two_T1"]
    code, alone = answer(
        capfd,
        *("run", "anomaly", folder / "one_T1.nii.gz"),
        *("--out", tmp_path / "alone", "--weights", weights),
    )
    batched = json.loads((out / "one_T1" / "result.json").read_text())
    assert stable(batched) == stable(alone)
    assert float(rows[0]["anomaly"]) == alone["scores"][0]["value"]
    before = (out / "one_T1" / "result.json").stat().st_mtime_ns
    code, told = answer(capfd, *given, "--resume")
    assert (code, told["done"], told["resumed"]) == (1, 2, 2)
    assert [one["case"] for one in told["failed"]] == ["broken_T1"]  # tried again, and nothing else
    assert (out / "one_T1" / "result.json").stat().st_mtime_ns == before
    code, told = answer(capfd, *given, "--resume", "--alpha", "0.25")
    assert (code, told["done"], told["resumed"]) == (1, 2, 0)
    assert [one["changed"] for one in told["redone"]] == [["alpha"]] * 2
    again = json.loads((out / "one_T1" / "result.json").read_text())
    assert again["parameters"]["alpha"] == 0.25


def test_a_case_list_names_cases_and_one_that_fails_stops_nothing(folder, weights, tmp_path, capfd):
    cases = folder / "cases.csv"
    cases.write_text(
        "case,patient,site,t1\nc/1,p1,A,one_T1.nii.gz\nc2,p2,B,broken_T1.nii.gz\nc3,p3,,gone.nii\n"
    )
    out = tmp_path / "out"
    code, told = answer(capfd, "batch", "anomaly", cases, "--out", out, "--weights", weights)
    assert (code, told["done"]) == (1, 1)
    assert [one["case"] for one in told["failed"]] == ["c2", "c3"]
    assert all(one["code"] and one["what"] for one in told["failed"])
    with (out / "predictions.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["case"], row["patient"], row["site"]) == ("c/1", "p1", "A")
    assert not (out / "c2").exists()
    names = {row["folder"], "batch.json", "predictions.csv", "made_from.jsonl"}
    assert {item.name for item in out.iterdir()} == names


def test_a_table_that_is_no_case_list_is_told_why(weights, tmp_path, capfd):
    (tmp_path / "list.csv").write_text("id,image\n1,a.nii.gz\n")
    words = ("batch", "anomaly", tmp_path / "list.csv", "--out", tmp_path / "out")
    code, told = answer(capfd, *words, "--weights", weights)
    assert (code, told["file"]) == (3, "list.csv")
    assert told["what"] == 'the column "case" is missing; there are: id, image'


def test_a_folder_without_anything_of_use_is_refused(weights, tmp_path, capfd):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("nothing")
    code, told = answer(
        capfd,
        *("batch", "anomaly", tmp_path / "in"),
        *("--out", tmp_path / "out", "--weights", weights),
    )
    assert code == 3
    assert told["schema"] == "medview.error/1"
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_cluster_of_two_workers_gives_the_same_as_this_machine(folder, weights, tmp_path):
    pytest.importorskip("distributed")
    told = {}
    for engine in ("local", "dask"):
        out = tmp_path / engine
        words = ("batch", "anomaly", folder, "--out", out, "--weights", weights)
        more = ("--engine", engine, "--workers", "2", *FAST)
        ran = subprocess.run(
            [sys.executable, "-m", "medview", *map(str, words), *more],
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        told[engine] = (ran.returncode, json.loads(ran.stdout)["done"], ran.stderr)
    assert told["local"][:2] == told["dask"][:2]
    tables = [(tmp_path / name / "predictions.csv").read_text() for name in told]
    assert tables[0] == tables[1]
    for case in ("one_T1", "two_T1"):
        results = [
            stable(json.loads((tmp_path / name / case / "result.json").read_text()))
            for name in told
        ]
        assert results[0] == results[1]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "dask"])
def test_ctrl_c_in_a_terminal_ends_it_with_the_way_to_go_on(weights, tmp_path, engine):
    pytest.importorskip("distributed")
    (tmp_path / "in").mkdir()
    for n in range(6):
        save_nifti(small_head(), tmp_path / "in" / f"c{n}_T1.nii.gz")
    out = tmp_path / "out"
    words = ("batch", "anomaly", tmp_path / "in", "--out", out, "--weights", weights)
    more = ("--engine", engine, "--workers", "2", *FAST)
    command = [sys.executable, "-m", "medview", *map(str, words), *more]
    # A group of its own, as a shell gives it: Ctrl-C goes to all processes of it.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while process.poll() is None and len(list(out.glob("*/result.json"))) < 2:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    told, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert json.loads(told)["code"] == "MV-JOB-130"
    assert "--resume" in json.loads(told)["do"]
    assert "\n" not in err.strip(), err
    kept = {item.name for item in out.iterdir()}
    assert kept - {"made_from.jsonl"} == {path.parent.name for path in out.glob("*/result.json")}
    again = subprocess.run([*command, "--resume"], capture_output=True, check=False, timeout=500)
    assert (again.returncode, json.loads(again.stdout)["done"]) == (0, 6)
