from medview.cli.benches import monkey
from medview.cli.benches.offscreen import told_by

GROWN = {"mb": 3.0, "threads": 0, "handles": 0, "widgets": 0}
SEEN = {
    "wall_s": [0.01] * 99 + [0.4],
    "own_s": [0.01] * 99 + [0.3],
    "errors": [],
    "event_mb": 12.0,
    "opens": 6,
    "grown": GROWN,
}


def met(**fields):
    return {row.what.split(": ")[-1]: row.met for row in monkey.rows(SEEN | fields)}


def test_a_calm_window_meets_every_aim():
    assert False not in met().values()


def test_each_thing_that_may_not_grow_is_held():
    assert met(errors=["drag: ValueError"])["exceptions"] is False
    assert met(wall_s=[1.2])["longest wait"] is False
    assert met(own_s=[0.1, 1.2])["most processor time of one"] is False
    assert met(event_mb=60.0)["memory grown after the first tenth"] is True  # of the openings
    assert monkey.rows(SEEN | {"event_mb": 60.0})[4].met is False
    for key, what in (("threads", "more threads"), ("handles", "more open files")):
        assert met(grown=GROWN | {key: 1})[what] is False


def test_the_program_is_started_and_says_what_it_saw(tmp_path):
    from medview.cli.benches.ct_series import write_series

    for place in ("one", "two"):
        write_series(tmp_path / place, 6, size=32)
    seen = told_by(monkey.RUN, tmp_path / "home", tmp_path, 40, 3)
    assert seen["errors"] == []
    assert len(seen["wall_s"]) == 40
    assert set(seen["grown"]) == set(GROWN)
