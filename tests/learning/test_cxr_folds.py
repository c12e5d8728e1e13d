"""Who trains and who is left out: by patient, classes alike."""

import numpy as np
import pytest

from medview.domain.errors import DataError
from medview.learning.cxr_folds import _common, fold_of_patients, median_total, split_val
from medview.learning.subset import TrainCase


def film(n, patient, split="", **cells):
    return TrainCase(f"c{n}", patient, {}, "film", split=split, cells=cells)


def films(patients=24):
    """Two films of each patient; every third one has a severe course, half have a score."""
    return [
        film(
            f"{k}-{n}",
            f"p{k}",
            prognosis="SEVERE" if k % 3 == 0 else "MILD",
            brixia="333333" if k % 4 == 0 else "000000" if k % 2 == 0 else "",
        )
        for k in range(patients)
        for n in range(2)
    ]


def test_every_patient_has_one_fold_and_every_fold_its_share_of_severe_courses():
    cases = films()
    fold = fold_of_patients(cases, 4)
    assert set(fold) == {case.patient for case in cases}
    assert fold == fold_of_patients(cases, 4)
    severe = {case.patient for case in cases if case.cells["prognosis"] == "SEVERE"}
    for number in range(4):
        here = {who for who, own in fold.items() if own == number}
        assert len(here) == 6
        assert len(here & severe) == 2


def test_patients_with_a_score_only_are_parted_by_its_class():
    cases = [film(n, f"p{n}", brixia="333333" if n % 2 else "000000") for n in range(12)]
    fold = fold_of_patients(cases, 3)
    for number in range(3):
        here = [n for n in range(12) if fold[f"p{n}"] == number]
        assert sum(n % 2 for n in here) == len(here) - sum(n % 2 for n in here) == 2


def test_fewer_patients_than_folds_are_refused():
    with pytest.raises(DataError, match="patients cannot be parted into 5 folds"):
        fold_of_patients(films(3), 5)


def test_a_class_that_is_rarer_than_the_folds_counts_as_the_commonest():
    assert _common([0, 0, 0, 1, 2, 2, 2], 3) == [0, 0, 0, 0, 2, 2, 2]


def test_validation_is_a_share_of_the_patients_of_what_is_trained_on():
    cases = films()
    index = np.arange(20)
    train, val = split_val(cases, index, 0.3, seed=1)
    assert sorted([*train, *val]) == index.tolist()
    parts = [{cases[n].patient for n in part} for part in (train, val)]
    assert parts[0].isdisjoint(parts[1])
    assert len(parts[1]) == 3
    assert np.array_equal(split_val(cases, index, 0.3, seed=1)[1], val)
    assert not np.array_equal(split_val(cases, index, 0.3, seed=2)[1], val)


def test_cases_that_say_their_part_keep_it_and_without_a_share_nobody_is_taken():
    cases = [film(n, f"p{n}", split="val" if n == 2 else "train") for n in range(5)]
    train, val = split_val(cases, np.array([0, 2, 4]), 0.5, seed=0)
    assert (train.tolist(), val.tolist()) == ([0, 4], [2])
    train, val = split_val(films(4), np.arange(8), 0.0, seed=0)
    assert (train.tolist(), val.tolist()) == (list(range(8)), [])


def test_the_median_total_is_that_of_the_films_with_a_score():
    cases = [film(n, "p", brixia=text) for n, text in enumerate(("111111", "", "333333", "100000"))]
    assert median_total(cases) == 6
    assert np.isnan(median_total([film(0, "p")]))
