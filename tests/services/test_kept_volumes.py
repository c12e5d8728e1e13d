"""Which volumes are kept for coming back to them."""

import pytest
from phantoms import phantom
from services.stubs import series_of

from medview.services.kept_volumes import KeptVolumes

VOLUME = phantom()
ONE, TWO, THREE = (series_of(uid) for uid in ("1.1", "1.2", "1.3"))


@pytest.fixture
def kept():
    return KeptVolumes(2 * VOLUME.array.nbytes)


def there(kept):
    return {name for name, each in (("1", ONE), ("2", TWO), ("3", THREE)) if kept.get(each, 0)}


def test_the_one_that_was_asked_for_longest_ago_goes(kept):
    kept.put(ONE, 0, VOLUME)
    kept.put(TWO, 0, VOLUME)
    kept.get(ONE, 0)
    kept.put(THREE, 0, VOLUME)
    assert there(kept) == {"1", "3"}


def test_the_newest_stays_whatever_its_size():
    kept = KeptVolumes(1)
    made = kept.put(ONE, 0, VOLUME)
    assert kept.get(ONE, 0) is made
    kept.put(TWO, 0, VOLUME)
    assert there(kept) == {"2"}


def test_time_points_are_kept_apart_and_a_series_is_forgotten_with_all_of_them(kept):
    kept.put(ONE, 0, VOLUME)
    kept.put(ONE, 1, VOLUME)
    kept.forget("1.1")
    assert (kept.get(ONE, 0), kept.get(ONE, 1)) == (None, None)


def test_more_of_a_series_takes_the_place_of_less_and_the_hash_is_counted_anew(kept):
    kept.put(ONE, 0, VOLUME).sha256 = "abc"
    assert kept.get(ONE, 0).sha256 == "abc"
    kept.put(ONE, 0, VOLUME)
    assert kept.get(ONE, 0).sha256 == ""
    kept.put(TWO, 0, VOLUME)
    assert there(kept) == {"1", "2"}
    kept.clear()
    assert there(kept) == set()
