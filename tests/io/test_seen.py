"""Marks of patients: the card knows them by name alone, and cards do not know each other's."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

import pytest

from medview.domain.card import ModelCard
from medview.io.cards import read_card, write_card
from medview.io.seen import joined_seen, salted, seen_of, with_seen
from medview.learning.patients import patient_hash

ANN, BOB, CID = map(patient_hash, ("ann", "bob", "cid"))
PLAIN = ModelCard(
    *("anomaly", "1.0", "made up", "", (), (), (), "tests", ("knows nothing",), "none", "none"),
    seen_patients=(ANN, BOB),
)


def test_a_written_card_holds_no_hash_that_could_be_made_without_its_salt(tmp_path):
    write_card(PLAIN, tmp_path / "card.json")
    text = (tmp_path / "card.json").read_text("utf-8")
    assert ANN not in text
    card = read_card(tmp_path / "card.json")
    assert seen_of(card, [ANN, BOB, CID]) == {ANN, BOB}
    write_card(card, tmp_path / "again.json")
    assert read_card(tmp_path / "again.json") == card


def test_the_same_patients_have_other_marks_on_another_card():
    one, other = salted(PLAIN), salted(PLAIN)
    assert not set(one.seen_patients) & set(other.seen_patients)
    assert one.seen_salts != other.seen_salts


def test_a_card_of_an_older_version_is_read_as_it_was():
    assert seen_of(PLAIN, [ANN, CID]) == {ANN}
    assert seen_of(replace(PLAIN, seen_patients=()), [ANN]) == frozenset()


def test_marks_of_cards_that_are_out_are_known_again():
    """Were they made otherwise, patients of a training would count as unseen."""
    card = replace(PLAIN, seen_patients=("67b439bbe82dcf52",), seen_salts=("ab" * 8,))
    assert seen_of(card, [ANN, BOB]) == {ANN}


def test_without_patients_there_is_nothing_to_salt_and_nobody_is_known():
    nobody = replace(PLAIN, seen_patients=())
    assert salted(nobody) is nobody
    known = salted(PLAIN)
    assert salted(known) is known
    assert seen_of(replace(known, seen_patients=()), [ANN]) == frozenset()


@pytest.mark.parametrize("parent", [PLAIN, salted(PLAIN)])
def test_a_version_knows_the_patients_of_its_parent_and_its_own(parent):
    own = replace(PLAIN, seen_patients=(CID,))
    for child in (joined_seen(own, parent), with_seen(parent, [CID])):
        assert seen_of(child, [ANN, BOB, CID, patient_hash("dan")]) == {ANN, BOB, CID}
        assert len(child.seen_patients) == 3


def test_one_try_costs_a_millisecond_or_so_and_a_second_is_remembered(monkeypatch):
    made, really = [], hashlib.scrypt
    monkeypatch.setattr(hashlib, "scrypt", lambda *a, **k: (made.append(1), really(*a, **k))[1])
    card = salted(PLAIN)
    asked = [patient_hash(f"p{n}") for n in range(40)]
    made.clear()
    began = time.process_time()
    seen_of(card, asked)
    took = time.process_time() - began
    assert took > 0.01  # 40 plain hashes take a ten-thousandth of a second
    assert len(made) == 40
    seen_of(card, asked)
    assert len(made) == 40
