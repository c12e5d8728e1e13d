"""What the session holds is frozen, and a message tells an error in its own sentence."""

from dataclasses import FrozenInstanceError

import pytest

from medview.domain.errors import ReadError
from medview.services.session_values import Message, VolumeId, Way


def test_a_message_of_an_error_is_its_sentence_with_the_ways_on():
    error = ReadError("ends early", file="x.dcm", do="Copy it again.")
    way = Way("Again", lambda: None)
    made = Message.of(error, (way,))
    assert (made.text, made.kind) == ("x.dcm: ends early. Copy it again.", "error")
    assert (made.error, made.ways) == (error, (way,))


def test_the_same_pixels_of_the_same_series_are_one_key_and_no_value_changes():
    about = VolumeId("1.1#0", "ab")
    assert {about: 1}[VolumeId("1.1#0", "ab")] == 1
    assert about not in (VolumeId("1.1#1", "ab"), VolumeId("1.1#0", "ac"))
    with pytest.raises(FrozenInstanceError):
        about.sha256 = "cd"
