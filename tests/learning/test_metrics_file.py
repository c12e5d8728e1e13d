"""What a measurement leaves on the disk: whole files, and empty cells where nothing is known."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from medview.domain.errors import WriteError
from medview.domain.evaluation import EvaluateRequest
from medview.learning.metrics import MetricRow
from medview.learning.metrics_file import Measurement, write_lines, write_metrics


def test_the_body_names_the_weights_and_the_way_before_what_was_found():
    card = SimpleNamespace(id="region-net", version="2", weights_sha256="ab")
    row = MetricRow("model", "case", "mae", "own", 2.5, 3, 3)
    told = {"notes": ["few"]}
    found = Measurement(card, [{"subset": "own"}], [row], [], {"size": 64}, "cuda:0", told)
    body = found.body(EvaluateRequest("brain-age", (), "out", seed=5), 2.04)
    (figure,) = body.pop("metrics")
    assert (figure["name"], figure["value"]) == ("mae", 2.5)
    assert body == {
        **{"model": "brain-age", "version": "2", "weights_sha256": "ab", "device": "cuda:0"},
        **{"dtype": "float32", "seed": 5, "parameters": {"size": 64}, "seconds": 2.0},
        **{"data": [{"subset": "own"}], "notes": ["few"]},
    }


def test_both_files_are_whole_and_what_is_not_known_is_empty(tmp_path):
    lines = [{"case": "ä,b", "age": np.float64(41.5)}, {"case": "c", "age": np.nan, "sex": None}]
    told = write_metrics(tmp_path / "new" / "out", {"metrics": [{"value": np.nan}]}, lines)
    kept = json.loads((tmp_path / "new" / "out" / "metrics.json").read_text("utf-8"))
    assert kept == {"schema": "medview.metrics/1", **told}
    assert told == {"metrics": [{"value": None}]}
    written = (tmp_path / "new" / "out" / "predictions.csv").read_bytes().decode()
    assert written == 'case,age,sex\r\n"ä,b",41.5,\r\nc,,\r\n'
    assert {path.name for path in (tmp_path / "new" / "out").iterdir()} == {
        *("metrics.json", "predictions.csv"),
    }


def test_a_table_that_cannot_be_written_leaves_the_older_one(tmp_path):
    write_lines(tmp_path / "a.csv", [{"case": "older"}])

    class Unwritable:
        def __str__(self):
            raise OSError(28, "no space left")

    with pytest.raises(WriteError, match="disk is full"):
        write_lines(tmp_path / "a.csv", [{"case": "newer"}, {"case": Unwritable()}])
    assert (tmp_path / "a.csv").read_text() == "case\nolder\n"
