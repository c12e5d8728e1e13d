import io

from medview.cli.progress import ProgressLine, in_time


class Clock:
    """A clock that is set by hand, in seconds."""

    now = 100.0

    def __call__(self):
        return self.now


def line(*, on_terminal):
    clock = Clock()
    return ProgressLine(io.StringIO(), on_terminal, clock), clock


def test_a_terminal_shows_share_time_left_and_text_in_place():
    progress, clock = line(on_terminal=True)
    progress.report(0, 100, "slice 0 / 100")
    clock.now += 10
    progress.report(25, 100, "slice 25 / 100")
    shown = progress.stream.getvalue()
    assert shown.startswith("\r")
    assert "\n" not in shown
    assert shown.split("\r")[-1].strip() == "25%  30 s left  slice 25 / 100"


def test_the_line_is_gone_when_the_work_ends():
    progress, _ = line(on_terminal=True)
    progress.report(1, 2)
    progress.end()
    last = progress.stream.getvalue().split("\r")[-2:]
    assert last[0].strip() == ""
    assert last[1] == ""


def test_a_log_gets_no_line_for_quick_work_and_few_for_slow():
    progress, clock = line(on_terminal=False)
    for done in range(101):
        progress.report(done, 100)
        clock.now += 0.25
    lines = progress.stream.getvalue().splitlines()
    assert lines == ["40%  15 s left", "80%  5 s left"]


def test_a_new_stage_starts_the_clock_again():
    progress, clock = line(on_terminal=True)
    progress.report(0, 10)
    clock.now += 100
    progress.report(10, 10)
    progress.report(0, 50)
    clock.now += 2
    progress.report(25, 50)
    assert progress.stream.getvalue().split("\r")[-1].strip() == "50%  2 s left"


def test_what_was_done_before_says_nothing_of_the_time_left():
    progress, clock = line(on_terminal=True)
    progress.report(90, 100)  # as it goes on where it was interrupted
    clock.now += 10
    progress.report(92, 100)
    assert progress.stream.getvalue().split("\r")[-1].strip() == "92%  40 s left"


def test_quiet_shows_nothing_and_needs_no_stream():
    progress = ProgressLine(None, on_terminal=True)
    progress.report(1, 2, "x")
    progress.say("y")
    progress.end()
    assert progress.stream is None


def test_durations_are_written_as_one_says_them():
    said = [in_time(s) for s in (0.2, 40, 89, 200, 7500)]
    assert said == ["1 s", "40 s", "89 s", "3 min", "2 h 5 min"]
