"""Which stays the parts of the ICU model learn from."""

from pathlib import Path
from types import SimpleNamespace

from medview.learning.icu_parts import learnt_from
from medview.learning.subset import Subset, TrainCase


def test_a_card_counts_the_stays_learnt_from_and_no_others():
    kept, held, unknown = (
        TrainCase(name, name, {}, "series", "demo", cells={"split": ""}) for name in "abc"
    )
    demo = Subset("demo", "eicu-demo", Path("demo"), (kept, held, unknown))
    other = Subset("other", "csv", Path("other"), (unknown,))
    stays = [SimpleNamespace(case=SimpleNamespace(case="a", patient="a", split=""))]
    stays += [SimpleNamespace(case=SimpleNamespace(case="b", patient="b", split="test"))]
    told = learnt_from([demo, other], [SimpleNamespace(stays=stays)])
    assert [[case.case for case in one.cases] for one in told] == [["a"], []]
    assert told[0].n_patients == 1
