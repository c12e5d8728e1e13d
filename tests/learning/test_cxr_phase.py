"""How often films are drawn."""

import numpy as np
import pytest
from chest_given import NAN, labelled

from medview.learning.cxr_phase import chances


def test_outcomes_are_drawn_alike_and_so_are_patients_within_them():
    films = labelled("aabcd", [1.0, 1.0, 0.0, 0.0, NAN])
    found = chances(films, np.arange(5), "prognosis")
    assert found == pytest.approx([0.25, 0.25, 0.25, 0.25, 0])
    # Without the films of the one with the severe course there is one class.
    assert chances(films, np.array([2, 3, 4]), "prognosis") == pytest.approx([0.5, 0.5, 0])


def test_films_with_a_score_of_one_patient_share_his_part():
    films = labelled("aaab", [NAN] * 4, [1.0, 2.0, NAN, 3.0])
    assert chances(films, np.arange(4), "zones") == pytest.approx([0.25, 0.25, 0, 0.5])


def test_nobody_is_drawn_where_nothing_is_known():
    assert chances(labelled("ab", [NAN, NAN]), np.arange(2), "prognosis").tolist() == [0, 0]
