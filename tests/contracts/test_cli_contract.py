"""What every command prints with --json: one object, the keys of the contract, their kinds."""

import csv
import json
import os
import shutil

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from age_sets import ixi_rows, write_ixi_table
from brains import head, write_ixi, write_nifti
from throwaway import save_dicom, small_head, throwaway_weights

from medview.cli import COMMANDS, main
from medview.cli.benches.scroll import Scene

pytestmark = pytest.mark.usefixtures("lasting_children")

NUMBER = (int, float)
TEXT, WORD_OR_NONE, NUMBER_OR_NONE = str, (str, type(None)), (int, float, type(None))
COUNT_OR_NONE = (int, type(None))
SHA = str
NOTES = [{"code": TEXT, "text": TEXT}]
INTERVAL = {"value": NUMBER_OR_NONE, "low": NUMBER_OR_NONE, "high": NUMBER_OR_NONE}
METRIC = INTERVAL | {
    **dict.fromkeys(("predictor", "task", "level", "name", "subset", "group", "ci"), TEXT),
    **dict.fromkeys(("n", "n_patients", "n_positive"), int),
    "prevalence": NUMBER_OR_NONE,
}

# Command -> kind of its answer and the keys it must have; more keys may stand beside them.
CONTRACT = {
    "info": (
        "info",
        {
            "counts": {"files": int, "read": int, "skipped": int},
            "patients": [
                {
                    "key": TEXT,
                    **dict.fromkeys(("id", "name", "sex", "birth_date"), WORD_OR_NONE),
                    "studies": [
                        {
                            "uid": TEXT,
                            "date": WORD_OR_NONE,
                            "description": WORD_OR_NONE,
                            "series": [
                                {
                                    **dict.fromkeys(("uid", "format", "quantity"), TEXT),
                                    **dict.fromkeys(("stack", "files", "times"), int),
                                    "number": (int, type(None)),
                                    **dict.fromkeys(
                                        ("modality", "description", "transfer_syntax"), WORD_OR_NONE
                                    ),
                                    "split_by": WORD_OR_NONE,
                                    "spacing_kind": WORD_OR_NONE,
                                    "orientation": WORD_OR_NONE,
                                    "size": [int],
                                    "spacing_mm": [NUMBER_OR_NONE],
                                    "affine_lps": [[NUMBER]],
                                    "value_range": [NUMBER],
                                    "lossy": bool,
                                    "missing_slices": [int],
                                    "warnings": NOTES,
                                }
                            ],
                        }
                    ],
                }
            ],
            "skipped": [{"file": TEXT, "code": TEXT, "what": TEXT}],
        },
    ),
    "convert": (
        "convert",
        {
            "outputs": [
                {"series": TEXT, "stack": int, "file": TEXT, "size": [int], "warnings": NOTES}
            ]
        },
    ),
    "render": (
        "frame",
        {
            "file": TEXT,
            "size": [int],
            "labels": dict.fromkeys(("left", "right", "top", "bottom"), TEXT),
            "pixel_to_lps": [[NUMBER]],
            "window": [NUMBER],
            "slice": int,
            "values": {"image": NUMBER, "score": NUMBER},
        },
    ),
    "models": (
        "models",
        {
            "models": [
                {
                    **dict.fromkeys(("id", "version", "title", "weights_sha256", "licence"), TEXT),
                    "parent": WORD_OR_NONE,
                    "inputs": [{"role": TEXT, "required": bool, "needs": TEXT}],
                    "outputs": [{"name": TEXT, "kind": TEXT, "unit": TEXT}],
                    "trained_on": [{"set": TEXT, "n_patients": int}],
                    "measured": [{"command": TEXT, "name": TEXT, "value": NUMBER_OR_NONE}],
                    "published": [{"name": TEXT, "value": NUMBER, "on": TEXT}],
                    "limits": [TEXT],
                }
            ]
        },
    ),
    "run": (
        "result",
        {
            **dict.fromkeys(("model", "version", "weights_sha256", "code"), TEXT),
            **dict.fromkeys(("device", "dtype", "mode"), TEXT),
            "parent": WORD_OR_NONE,
            "seed": int,
            "parameters": {"samples": int, "alpha": NUMBER, "rule": TEXT, "threshold": NUMBER},
            "seconds": NUMBER,
            "peak_memory_mb": NUMBER,
            "inputs": [
                {
                    **dict.fromkeys(("role", "study", "series"), TEXT),
                    "stack": int,
                    "sha256": SHA,
                    "size": [int],
                }
            ],
            "scores": [
                INTERVAL
                | {
                    **dict.fromkeys(("name", "method", "unit", "status", "meaning"), TEXT),
                    "level": NUMBER,
                }
            ],
            "maps": [{"name": TEXT, "file": TEXT, "kind": TEXT, "unit": TEXT}],
            "findings": [
                {
                    "id": int,
                    "map": TEXT,
                    "centroid_lps": [NUMBER],
                    "slice": int,
                    "volume_ml": NUMBER,
                    "peak": NUMBER,
                    "hidden_by_uncertainty": bool,
                }
            ],
            "preparation": [TEXT],
            "warnings": NOTES,
        },
    ),
    "report": (
        "report",
        {
            **dict.fromkeys(("file", "report_id", "content_sha256", "status"), TEXT),
            "pages": int,
            "results": [SHA],
        },
    ),
    "train": (
        "train",
        {
            **dict.fromkeys(("epochs", "best_epoch"), int),
            "stopped": TEXT,
            "n": {"train": int, "val": int},
            "seconds": NUMBER,
            "weights_sha256": SHA,
            "health": [{"name": TEXT, "value": NUMBER_OR_NONE, "ok": bool}],
        },
    ),
    "evaluate": (
        "metrics",
        {
            **dict.fromkeys(("model", "version", "weights_sha256", "device", "dtype"), TEXT),
            "seed": int,
            "parameters": {"samples": int, "alpha": NUMBER},
            "seconds": NUMBER,
            "data": [
                {
                    "subset": TEXT,
                    **dict.fromkeys(("cases", "patients", "sites", "seen_in_training"), int),
                    "skipped": [{"case": TEXT, "code": TEXT, "what": TEXT}],
                }
            ],
            "metrics": [METRIC],
        },
    ),
    "ablate": (
        "ablation",
        {
            "finished": bool,
            **dict.fromkeys(("runs_done", "runs_planned"), int),
            "rows": [
                {
                    **dict.fromkeys(("variant", "name", "test"), TEXT),
                    **dict.fromkeys(("mean", "sd", "difference", "low", "high"), NUMBER_OR_NONE),
                    "p": NUMBER_OR_NONE,
                    "runs": int,
                }
            ],
        },
    ),
    "bench": (
        "bench",
        {
            "name": TEXT,
            "machine": {"cpu": TEXT, "cores": int, "memory_gb": NUMBER, "gpu": WORD_OR_NONE},
            "rows": [
                {
                    "what": TEXT,
                    "value": NUMBER,
                    "unit": TEXT,
                    "peer": WORD_OR_NONE,
                    **dict.fromkeys(("peer_value", "ratio", "aim"), NUMBER_OR_NONE),
                    "met": (bool, type(None)),
                }
            ],
        },
    ),
    "demo": ("demo", {"out": TEXT, "files": [TEXT]}),
    "batch": (
        "batch",
        {
            "done": int,
            "failed": [{"case": TEXT, "code": TEXT, "what": TEXT}],
            "seconds": NUMBER,
            "seconds_per_study": NUMBER_OR_NONE,
        },
    ),
    "cases": (
        "cases",
        {
            "file": TEXT,
            "cases": [
                {**dict.fromkeys(("case", "patient", "label"), TEXT), "used": bool, "wrong": str}
            ],
            "skipped": [{"path": TEXT, "what": TEXT}],
        },
    ),
    "finetune": (
        "finetune",
        {
            "weights_sha256": SHA,
            "held_out": int,
            "registered": WORD_OR_NONE,
            "before_after": {"metrics": [METRIC | dict.fromkeys(("n_positive",), COUNT_OR_NONE)]},
        },
    ),
    "compare": (
        "compare",
        {
            "old": {"version": TEXT, "weights_sha256": SHA},
            "new": {"version": TEXT, "weights_sha256": SHA},
            "metrics": [METRIC | dict.fromkeys(("n_positive",), COUNT_OR_NONE)],
            "differences": [{"name": TEXT, "new_minus_old": NUMBER_OR_NONE}],
        },
    ),
    "versions": (
        "versions",
        {"versions": [{"id": TEXT, "version": TEXT, "parent": WORD_OR_NONE, "own": bool}]},
    ),
    "runs": (
        "runs",
        {
            "differing": [TEXT],
            "runs": [
                {
                    **dict.fromkeys(("run", "model", "made_at", "weights_sha256"), WORD_OR_NONE),
                    "epochs": int,
                    "seconds": NUMBER_OR_NONE,
                    "best": {"part": TEXT, "name": TEXT, "value": NUMBER, "epoch": int},
                    "settings": {},
                    "figures": [[(str, int, float, type(None))]],
                }
            ],
        },
    ),
    "export": ("export", {"objects": [{"file": TEXT, "sop_class": TEXT, "series": TEXT}]}),
    "deidentify": (
        "deidentify",
        {
            **dict.fromkeys(("files", "patients", "results"), int),
            "withheld": [{"number": int, "code": TEXT, "what": TEXT}],
            "warnings": NOTES,
        },
    ),
    "audit": ("audit", {"entries": [{"when": TEXT, "what": TEXT}], "lines": int}),
}

# Filled in with paths by `words_for`; small data, and little of it.
WORDS = {
    "info": ("{study}",),
    "convert": ("{study}", "--out", "{out}/t1.nii.gz"),
    "render": (
        *("{study}/a", "--plane", "axial", "--at", "0,0,0", "--out", "{out}/f.png"),
        *("--result", "{result}", "--map", "score"),
    ),
    "models": (),
    "run": ("anomaly", "{study}", "--out", "{out}", "--weights", "{weights}", "--samples", "3"),
    "report": ("{result}", "--out", "{out}/r.pdf"),
    "train": (
        *("anomaly", "--data", "{ixi}", "--out", "{out}", "--epochs", "1", "--set", "steps=1"),
        *("--set", "batch=2", "--set", "attention_batch=2", "--set", "network.attention=false"),
        *("--set", "val_slices=3", "--set", "bfloat16=false"),
    ),
    "evaluate": (
        *("anomaly", "--data", "cases={cases}", "--out", "{out}", "--weights", "{weights}"),
        *("--samples", "1"),
    ),
    "ablate": (
        *("brain-age", "--data", "{ages}", "--variants", "mean", "--folds", "2", "--out", "{out}"),
        *("--set", "members=2", "--set", "train.epochs=1"),
    ),
    "bench": ("scroll", "--quick"),
    "demo": ("--headless", "--out", "{out}"),
    "batch": ("anomaly", "{study}", "--out", "{out}", "--weights", "{weights}", "--samples", "2"),
    "cases": ("anomaly", "{study}", "--out", "{out}"),
    "finetune": (
        *("brain-age", "--data", "{ages}", "--out", "{out}", "--weights", "{age_weights}"),
        *("--set", "members=2", "--set", "train.epochs=1"),
    ),
    "compare": ("{age_weights}", "{age_weights}", "--data", "{ages}"),
    "versions": (),
    "runs": ("{age}",),
    "export": ("{result}", "--study", "{study}", "--out", "{out}"),
    "deidentify": ("{study}", "--out", "{out}"),
    "audit": (),
}
MISUSE = {
    "models": (2, ("nosuch",)),
    "run": (3, ("anomaly", "{nowhere}", "--out", "{out}", "--weights", "{weights}")),
    "report": (3, ("{nowhere}", "--out", "{out}")),
    "train": (3, ("anomaly", "--data", "{nowhere}", "--out", "{out}")),
    "evaluate": (3, ("anomaly", "--data", "{nowhere}", "--out", "{out}")),
    "ablate": (3, ("brain-age", "--data", "{nowhere}", "--out", "{out}")),
    "bench": (2, ("nosuch",)),
    "demo": (2, ("--out",)),
    "batch": (3, ("anomaly", "{nowhere}", "--out", "{out}", "--weights", "{weights}")),
    "cases": (3, ("icu", "{study}", "--out", "{out}")),
    "finetune": (
        3,
        ("brain-age", "--data", "{nowhere}", "--out", "{out}", "--weights", "{age_weights}"),
    ),
    "compare": (3, ("{age_weights}", "{age_weights}", "--data", "{nowhere}")),
    "versions": (2, ("nosuch",)),
    "runs": (3, ("{nowhere}",)),
    "export": (3, ("{nowhere}", "--study", "{study}", "--out", "{out}")),
    "deidentify": (3, ("{nowhere}", "--out", "{out}")),
    "audit": (2, ("nosuch",)),
    "info": (3, ("{nowhere}",)),
    "convert": (3, ("{nowhere}", "--out", "{out}")),
    "render": (3, ("{nowhere}", "--slice", "1", "--out", "{out}")),
}
SLOW_TO_IMPORT = ("--threads", "1", "--device", "cpu")


@pytest.fixture(scope="module")
def places(tmp_path_factory, lasting_children):
    """Paths of all that commands are given, by the names used in the words."""
    root = tmp_path_factory.mktemp("contract")
    save_dicom(
        small_head(),
        root / "study" / "a",
        SeriesDescription="T1, synthetic lesion",
        FrameOfReferenceUID="1.2.9",
    )
    (root / "study" / "notes.txt").write_text("no image")
    weights = throwaway_weights(root / "weights")
    write_ixi(root / "ixi", "IXI012-HH-1211")
    write_nifti(root / "cases" / "a.nii.gz", head()[:, :, 20])
    with (root / "cases" / "cases.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("case", "t1", "label"), ("x", "a.nii.gz", "1")])
    found = {
        "study": root / "study",
        "weights": weights,
        "ixi": root / "ixi",
        "cases": root / "cases" / "cases.csv",
        "result": root / "result",
        "ages": write_ixi_table(root / "ages").parent,
        "nowhere": root / "nowhere",
    }
    found["age"] = root / "age"
    found["age_weights"] = root / "age" / "weights.safetensors"
    others = [[cell.replace("IXI", "IXI9") for cell in row] for row in ixi_rows(seed=1)]
    found["others"] = write_ixi_table(root / "others", others).parent
    ages = ("brain-age", "--data", "{others}", "--out", "{out}", *WORDS["ablate"][-4:])
    assert main(words_for("train", {**found, "out": root / "age"}, ages)) == 0
    words = words_for("run", {**found, "out": root / "result"}, WORDS["run"])
    assert main([*words, "--quiet"]) == 0
    return found


def words_for(name, places, words):
    given = [word.format(**places) for word in words]
    return [name, *given, *SLOW_TO_IMPORT, "--json"]


def one_object(text):
    """Parse what a command printed: exactly one object on one line, without NaN."""

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    assert text.count("\n") == 1
    body = json.loads(text, parse_constant=refuse)
    assert isinstance(body, dict)
    return body


def misfits(value, wanted, where="answer"):
    """Every place where a value is not as the contract wants it; an empty list is good."""
    if isinstance(wanted, dict):
        if not isinstance(value, dict):
            return [f"{where} is {value!r}, not an object"]
        absent = [f"{where}.{key} is missing" for key in wanted if key not in value]
        there = [key for key in wanted if key in value]
        return absent + [m for k in there for m in misfits(value[k], wanted[k], f"{where}.{k}")]
    if isinstance(wanted, list):
        if not isinstance(value, list):
            return [f"{where} is {value!r}, not a list"]
        inside = enumerate(value)
        return [m for n, item in inside for m in misfits(item, wanted[0], f"{where}[{n}]")]
    kinds = wanted if isinstance(wanted, tuple) else (wanted,)
    # True and False are whole numbers to Python, and to nobody else.
    fits = isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)
    return [] if fits else [f"{where} is {value!r}"]


def test_a_misfit_is_found_wherever_it_is():
    wanted = {"rows": [{"n": int, "name": WORD_OR_NONE}]}
    assert misfits({"rows": [{"n": 1, "name": None, "more": 2}]}, wanted) == []
    assert misfits({"rows": [{"n": True, "name": 3}]}, wanted) == [
        "answer.rows[0].n is True",
        "answer.rows[0].name is 3",
    ]
    assert misfits({"rows": {}}, wanted) == ["answer.rows is {}, not a list"]
    assert misfits({}, wanted) == ["answer.rows is missing"]


def test_every_command_has_a_contract_and_a_misuse():
    assert set(CONTRACT) == set(WORDS) == set(MISUSE) == set(COMMANDS)


def wrote_nothing(context, program, study, folder, choices):
    """In place of the demo's work: a file, so that there is one to be named."""
    (folder / "report.pdf").write_bytes(b"")


@pytest.mark.parametrize("name", CONTRACT)
def test_the_answer_has_the_keys_and_kinds_of_the_contract(
    name, places, tmp_path, capfd, monkeypatch
):
    if name == "demo":
        # What it does before it answers has tests of its own.
        monkeypatch.setattr("medview.cli.demo.write_demo", wrote_nothing)
        monkeypatch.setattr("sys.excepthook", lambda *_: None)
    if name == "bench":
        monkeypatch.setattr("medview.cli.benches.scroll.SCENES", (Scene(32, 0),))
        monkeypatch.setattr("medview.cli.benches.scroll.window_rows", lambda *_: [])
    (tmp_path / "out").mkdir()
    words = words_for(name, {**places, "out": tmp_path / "out"}, WORDS[name])
    code = main(words)
    told = capfd.readouterr()
    assert code == 0, told.err
    kind, wanted = CONTRACT[name]
    body = one_object(told.out)
    assert body["schema"] == f"medview.{kind}/1"
    assert misfits(body, wanted) == []


@pytest.mark.parametrize("name", MISUSE)
def test_a_failure_is_one_object_too_and_leaves_nothing(name, places, tmp_path, capfd):
    expected, words = MISUSE[name]
    code = main(words_for(name, {**places, "out": tmp_path / "out"}, words))
    told = capfd.readouterr()
    body = one_object(told.out)
    assert code == expected
    kinds = {"code": TEXT, "file": TEXT, "what": TEXT, "skipped": int, "still_works": TEXT}
    assert misfits(body, {"schema": TEXT, "do": TEXT, **kinds}) == []
    assert body["schema"] == "medview.error/1"
    assert body["code"].startswith("MV-")
    assert body["what"]
    assert told.err.startswith("medview: ") or "\nmedview: " in told.err
    assert "Traceback" not in told.err
    assert list(tmp_path.iterdir()) == []


def test_verifying_a_report_has_an_answer_of_its_own(places, tmp_path, capfd):
    report = tmp_path / "r.pdf"
    assert main(["report", str(places["result"]), "--out", str(report), "--json"]) == 0
    capfd.readouterr()
    assert main(["report", "--verify", str(report), "--json"]) == 0
    body = one_object(capfd.readouterr().out)
    assert body["schema"] == "medview.verify/1"
    wanted = {"holds": bool, "hash_ok": bool, "rerun": bool, "differences": [{}]}
    assert misfits(body, wanted) == []
    assert (body["holds"], body["hash_ok"]) == (True, True)


def test_private_answers_name_no_path(places, tmp_path, capfd):
    again = tmp_path / "Doe_Jane"
    shutil.copytree(places["study"] / "a", again)
    assert main(["info", str(again), "--private", "--json"]) == 0
    out = capfd.readouterr().out
    body = one_object(out)
    assert "Test^Case" not in out
    assert "Doe_Jane" not in out
    assert body["patients"][0]["name"] is None
