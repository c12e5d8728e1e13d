"""Real child processes all through; `post` runs the call at once, on the lane's thread."""

import errno
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from running import PATIENCE_S, children, is_running, soon
from services.stubs import seconds

from medview.domain.errors import OUT_OF_MEMORY, Cancelled, MedviewError, ReadError, WorkerDied
from medview.services import lane
from medview.services.job import Job
from medview.services.jobs import Jobs

HERE = "services.works"


class Heard:
    """What one job said, in order, and a way to wait for its end."""

    def __init__(self):
        self.said = []
        self._over = threading.Event()

    def listeners(self):
        return {
            "done": lambda answer: self._end("done", answer),
            "failed": lambda error: self._end("failed", error),
            "progress": lambda *report: self.said.append(("progress", report)),
            "partial": lambda part: self.said.append(("partial", part)),
        }

    def _end(self, kind, value):
        self.said.append((kind, value))
        self._over.set()

    def wait(self):
        assert self._over.wait(PATIENCE_S), "the job never ended"
        return self.said[-1]

    def of(self, kind):
        return [value for said, value in self.said if said == kind]


@pytest.fixture(scope="module")
def jobs():
    """One for most tests: to start children takes longer than what they are asked."""
    with Jobs(lambda call: call()) as shared:
        yield shared


@pytest.fixture
def own():
    """One whose children no other test has asked anything."""
    with Jobs(lambda call: call()) as jobs:
        yield jobs


def begin(jobs, lane, work, *args, key=None):
    heard = Heard()
    job = jobs.run(lane, f"{HERE}:{work}", *args, key=key, **heard.listeners())
    return job, heard


def own_memory_mb():
    """Memory of this process that is not shared with anyone."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def named_blocks(pid):
    """Blocks of shared memory that would stay behind if nobody removed them."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return [line for line in maps if "/dev/shm" in line and not line.endswith("(deleted)")]


# -- the answer ----------------------------------------------------------------------------


def test_the_result_of_a_job_comes_back(jobs):
    job, heard = begin(jobs, "files", "double", 21)
    assert heard.wait() == ("done", 42)
    assert job.state == "done"


def test_work_is_done_in_another_process_that_stays_warm(jobs):
    first, second = jobs.call("files", f"{HERE}:who"), jobs.call("files", f"{HERE}:who")
    assert first == second != os.getpid()


def test_each_lane_has_a_process_of_its_own(jobs):
    assert jobs.call("files", f"{HERE}:who") != jobs.call("compute", f"{HERE}:who")


def test_threads_sleep_while_they_wait_unless_the_user_says_otherwise(own, monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert own.call("compute", f"{HERE}:setting", "OMP_WAIT_POLICY") == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert own.call("files", f"{HERE}:setting", "OMP_WAIT_POLICY") == "ACTIVE"


def test_the_training_process_gives_its_memory_back_by_ending(jobs):
    pid = jobs.call("train", f"{HERE}:who")
    assert soon(lambda: not is_running(pid))


def test_a_module_is_imported_in_the_child_and_never_here(own):
    assert not own.call("compute", f"{HERE}:has_imported", "wave")
    own.warm("compute", "wave")
    assert own.call("compute", f"{HERE}:has_imported", "wave")
    assert not {"wave", "services.works"} & set(sys.modules)


def test_a_refusal_crosses_with_all_its_fields(jobs):
    job, heard = begin(jobs, "files", "refuse")
    kind, error = heard.wait()
    assert (kind, type(error), job.state) == ("failed", ReadError, "failed")
    assert (error.code, error.file, error.skipped) == ("MV-IO-103", "IM12.dcm", 1)


def test_waiting_for_a_refused_job_raises_the_refusal(jobs):
    with pytest.raises(ReadError, match=r"IM12\.dcm: ends early\. Copy it again\."):
        jobs.call("files", f"{HERE}:refuse")


def test_an_unexpected_error_names_its_place_and_no_value(jobs, caplog):
    with pytest.raises(MedviewError) as caught:
        jobs.call("files", f"{HERE}:stumble", "ZQ7PN-Name")
    assert "ValueError in services.works, line" in caught.value.what
    assert "ValueError in services.works, line" in caplog.text
    assert "ZQ7PN" not in str(caught.value) + caplog.text


def test_an_answer_that_cannot_be_sent_is_an_unexpected_error(jobs):
    with pytest.raises(MedviewError, match="unexpected error"):
        jobs.call("files", f"{HERE}:unsendable")
    assert jobs.call("files", f"{HERE}:double", 1) == 2


def test_an_argument_that_cannot_be_sent_is_an_unexpected_error(jobs):
    with pytest.raises(MedviewError, match="unexpected error"):
        jobs.call("files", f"{HERE}:double", lambda: None)
    assert jobs.call("files", f"{HERE}:double", 1) == 2


def test_what_libraries_print_does_not_get_out(jobs, capfd):
    jobs.call("files", f"{HERE}:chatter", "ZQ7PN-Name")
    out, err = capfd.readouterr()
    assert out + err == ""


def test_a_mistake_in_a_callback_is_reported_and_the_lane_goes_on(jobs, monkeypatch):
    seen = []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append(args.exc_type))
    jobs.run("files", f"{HERE}:double", 1, done=lambda answer: {}["no such key"])
    assert jobs.call("files", f"{HERE}:double", 1) == 2
    assert seen == [KeyError]


# -- order and keys ------------------------------------------------------------------------


def test_jobs_of_a_lane_run_one_after_another_in_order(jobs, tmp_path):
    log = tmp_path / "log"
    heard = [begin(jobs, "files", "note", log, name, 0.05)[1] for name in "abc"]
    for one in heard:
        one.wait()
    expected = [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]
    assert log.read_text().splitlines() == expected


def test_a_queued_job_can_be_cancelled_and_never_begins(jobs, tmp_path):
    log = tmp_path / "log"
    first, ahead = begin(jobs, "files", "sleep_polite")
    queued, second = begin(jobs, "files", "note", log, "b")
    queued.cancel()
    assert isinstance(second.wait()[1], Cancelled)
    first.cancel()
    ahead.wait()
    assert jobs.call("files", f"{HERE}:double", 1) == 2
    assert not log.exists()
    assert queued.state == "cancelled"


def test_a_newer_job_with_the_same_key_silences_the_older(jobs):
    older, old = begin(jobs, "files", "sleep_polite", key="series")
    assert soon(lambda: old.of("progress"))
    _, new = begin(jobs, "files", "double", 4, key="series")
    assert new.wait() == ("done", 8)
    assert older.state == "cancelled"
    assert old.of("done") == old.of("failed") == []


def test_an_answer_on_its_way_is_dropped_when_a_newer_job_is_asked_for():
    posted = []
    with Jobs(posted.append) as jobs:
        older, old = begin(jobs, "files", "double", 1, key="series")
        assert soon(lambda: older.is_over)
        newer, new = begin(jobs, "files", "double", 2, key="series")
        assert soon(lambda: newer.is_over)
        for call in posted:
            call()
    assert old.said == []
    assert new.of("done") == [4]


def test_a_job_cancelled_while_its_answer_is_on_its_way_is_cancelled():
    posted = []
    with Jobs(posted.append) as jobs:
        job, heard = begin(jobs, "files", "double", 1)
        assert soon(lambda: job.is_over)
        job.cancel()
        for call in posted:
            call()
    assert job.state == "cancelled"
    assert [type(error) for error in heard.of("failed")] == [Cancelled]
    assert heard.of("done") == []


# -- progress and parts --------------------------------------------------------------------


def test_progress_comes_at_most_twenty_times_a_second_and_ends_with_the_last(jobs):
    started = time.monotonic()
    _, heard = begin(jobs, "files", "report_often", 500, 0.001)
    heard.wait()
    took = time.monotonic() - started
    reports = heard.of("progress")
    assert 2 <= len(reports) <= 20 * took + 2
    assert reports[-1] == (500, 500, "step 500")
    assert reports == sorted(reports)


def test_progress_waits_for_a_busy_window_as_one_call():
    posted = []
    with Jobs(posted.append) as jobs:
        job, heard = begin(jobs, "files", "report_often", 40, 0.01)
        assert soon(lambda: job.is_over)
    assert len(posted) == 2
    posted[0]()
    assert heard.of("progress") == [(40, 40, "step 40")]


def test_the_time_left_is_told_while_it_runs(jobs):
    job, heard = begin(jobs, "files", "report_and_sleep", 20, 100, 0.01)
    assert job.seconds_left is None
    assert soon(lambda: job.progress.done == 20)
    assert job.seconds_left is not None
    job.cancel()
    heard.wait()
    assert job.seconds_left is None


def test_parts_come_in_order_before_the_end(jobs):
    _, heard = begin(jobs, "compute", "slices", 30)
    heard.wait()
    assert [kind for kind, _ in heard.said] == ["partial"] * 30 + ["done"]
    assert all(k == n and (slice_ == n).all() for n, (k, slice_) in enumerate(heard.of("partial")))


def test_waiting_shows_progress_on_the_waiting_thread(jobs):
    seen = []
    jobs.call(
        "files",
        f"{HERE}:report_often",
        20,
        0.02,
        progress=lambda done, total, text: seen.append((done, threading.current_thread())),
    )
    assert seen[-1] == (20, threading.main_thread())


# -- arrays --------------------------------------------------------------------------------


def test_a_large_array_comes_back_without_a_copy_in_this_process(jobs):
    jobs.call("files", f"{HERE}:ones", 8)
    before = own_memory_mb()
    array = jobs.call("files", f"{HERE}:ones", 200)
    assert int(array.sum(dtype=np.int64)) == 200 << 20
    assert own_memory_mb() - before < 20
    assert not array.flags.writeable
    assert named_blocks(os.getpid()) == []


def test_the_memory_of_an_array_goes_with_the_array(jobs):
    def mapped_mb():
        maps = Path("/proc/self/maps").read_text().splitlines()
        spans = [m.split()[0].split("-") for m in maps if "memfd:medview" in m]
        return sum(int(end, 16) - int(start, 16) for start, end in spans) >> 20

    gc.collect()  # what other tests have left
    before = mapped_mb()
    array = jobs.call("files", f"{HERE}:ones", 50)
    part = array[:10]
    assert mapped_mb() - before == 50
    del array
    assert mapped_mb() - before == 50
    assert part.sum() == 10
    del part
    gc.collect()
    assert mapped_mb() == before


def test_an_array_makes_the_round_trip_bit_by_bit(jobs):
    sent = np.random.default_rng(1).normal(size=(40, 300, 200)).astype(np.float32)
    back = jobs.call("files", f"{HERE}:invert", np.asfortranarray(sent))
    assert back.dtype == np.float32
    assert np.array_equal(back, -sent)


def test_an_array_given_to_a_job_cannot_be_written_there(jobs):
    assert not jobs.call("files", f"{HERE}:is_writable", np.zeros(10_000_000))


def test_an_empty_and_a_strided_array_cross_as_well(jobs):
    assert jobs.call("files", f"{HERE}:invert", np.zeros((0, 3))).shape == (0, 3)
    strided = np.arange(1_000_000.0).reshape(1000, 1000)[::2, ::3]
    assert np.array_equal(jobs.call("files", f"{HERE}:invert", strided), -strided)


def test_many_parts_that_are_kept_do_not_use_up_the_file_descriptors(jobs):
    before = len(os.listdir("/proc/self/fd"))
    _, heard = begin(jobs, "compute", "slices", 300)
    heard.wait()
    assert len(heard.of("partial")) == 300
    assert len(os.listdir("/proc/self/fd")) - before < 10


# -- cancel --------------------------------------------------------------------------------


def test_a_job_that_listens_stops_at_once_and_gives_its_memory_back(jobs):
    child = psutil.Process(jobs.call("files", f"{HERE}:who"))
    before = child.memory_info().rss
    job, heard = begin(jobs, "files", "sleep_polite")
    assert soon(lambda: heard.of("progress"))
    assert child.memory_info().rss > before + 190_000_000
    asked = time.monotonic()
    job.cancel()
    assert isinstance(heard.wait()[1], Cancelled)
    assert time.monotonic() - asked < seconds(1)
    assert soon(lambda: child.memory_info().rss < before + 50_000_000)
    assert jobs.call("files", f"{HERE}:who") == job.pid


def test_a_cancelled_model_ends_its_process_and_an_equally_warm_one_is_made_ready(own):
    before = children()
    own.warm("compute", "wave")
    job, heard = begin(own, "compute", "sleep_polite")
    assert soon(lambda: heard.of("progress"))
    asked = time.monotonic()
    job.cancel()
    heard.wait()
    assert soon(lambda: not is_running(job.pid))
    assert time.monotonic() - asked < seconds(1)
    assert soon(lambda: len(children() - before) == 1)
    assert own.call("compute", f"{HERE}:has_imported", "wave")


def test_a_replaced_model_run_leaves_its_process_warm(jobs):
    older, old = begin(jobs, "compute", "sleep_polite", key="run")
    assert soon(lambda: old.of("progress"))
    _, new = begin(jobs, "compute", "who", key="run")
    assert new.wait() == ("done", older.pid)


def test_an_accident_while_warming_is_not_repeated_for_ever(own):
    job = own.warm("compute", "no.such.module")
    assert soon(lambda: job.is_over)
    assert own.call("compute", f"{HERE}:double", 1) == 2
    with pytest.raises(WorkerDied):
        own.call("compute", f"{HERE}:abort")
    assert own.call("compute", f"{HERE}:double", 1) == 2


def test_a_job_that_does_not_listen_is_killed_within_a_second(jobs):
    job, heard = begin(jobs, "compute", "sleep_deaf")
    assert soon(lambda: heard.of("progress"))
    asked = time.monotonic()
    job.cancel()
    assert isinstance(heard.wait()[1], Cancelled)
    assert time.monotonic() - asked < seconds(1)
    assert not is_running(job.pid)
    assert job.state == "cancelled"


def test_the_lane_goes_on_after_a_kill(jobs):
    job, heard = begin(jobs, "compute", "sleep_deaf")
    _, after = begin(jobs, "compute", "who")
    assert soon(lambda: heard.of("progress"))
    job.cancel()
    kind, pid = after.wait()
    assert kind == "done"
    assert pid != job.pid


def test_what_a_killed_job_had_started_is_killed_too(jobs):
    job, heard = begin(jobs, "train", "with_grandchild")
    assert soon(lambda: heard.of("partial"))
    grandchild = heard.of("partial")[0]
    assert is_running(grandchild)
    job.cancel()
    heard.wait()
    assert soon(lambda: not is_running(grandchild))


# -- when a child dies ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("work", "sentence"),
    [
        ("segfault", r"reads and writes files stopped \(signal 11\)"),
        ("abort", r"stopped \(signal 6\)"),
        ("kill_itself", r"ended by the system, perhaps because memory ran out \(signal 9\)"),
        ("panic", r"stopped \(Panic in services\.works, line \d+\)"),
        ("leave_the_interpreter", r"stopped \(SystemExit in services\.works, line \d+\)"),
    ],
)
def test_a_child_that_dies_is_a_sentence_and_the_queue_goes_on(jobs, work, sentence):
    job, heard = begin(jobs, "files", work)
    _, after = begin(jobs, "files", "who")
    kind, error = heard.wait()
    assert (kind, type(error), job.state) == ("failed", WorkerDied, "failed")
    with pytest.raises(WorkerDied, match=sentence):
        raise error
    kind, pid = after.wait()
    assert kind == "done"
    assert pid != job.pid
    assert not is_running(job.pid)


def test_a_child_that_is_killed_from_outside_is_a_sentence(jobs):
    job, heard = begin(jobs, "compute", "sleep_deaf")
    assert soon(lambda: heard.of("progress"))
    os.kill(job.pid, signal.SIGKILL)
    error = heard.wait()[1]
    assert isinstance(error, WorkerDied)
    assert error.code == OUT_OF_MEMORY  # who killed it does not say why


def test_a_child_that_cannot_be_started_is_told_so_and_the_next_job_may_have_one(own, monkeypatch):
    handles = len(os.listdir("/proc/self/fd"))

    def refuse(*_args, **_options):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(lane.subprocess, "Popen", refuse)
        _, heard = begin(own, "files", "double", 21)
        kind, error = heard.wait()
    assert (kind, type(error)) == ("failed", WorkerDied)
    assert "could not be started (Resource temporarily unavailable)" in error.what
    assert "new process" not in str(error.still_works)
    assert len(os.listdir("/proc/self/fd")) == handles
    assert own.call("files", f"{HERE}:double", 21) == 42


def test_a_child_that_died_while_idle_is_replaced_unnoticed(jobs):
    pid = jobs.call("files", f"{HERE}:who")
    os.kill(pid, signal.SIGKILL)
    assert soon(lambda: not is_running(pid))
    assert jobs.call("files", f"{HERE}:double", 2) == 4


def test_an_allocation_bomb_hits_the_limit_and_not_the_machine():
    with Jobs(lambda call: call(), files_memory_mb=1500) as jobs:
        first = jobs.call("files", f"{HERE}:who")
        with pytest.raises(WorkerDied, match=r"ran out of memory \(its limit is 1500 MB\)"):
            jobs.call("files", f"{HERE}:hoard", 8000)
        assert jobs.call("files", f"{HERE}:who") != first


def test_a_silent_job_is_told_once():
    told = []
    with Jobs(lambda call: call(), hang_after_s=0.2, hung=told.append) as jobs:
        # Its start may take long enough to be told; what counts is what follows its report.
        job = jobs.run("compute", f"{HERE}:sleep_deaf", progress=lambda *_: told.append("spoke"))
        assert soon(lambda: told[-2:] == ["spoke", job])
        assert soon(lambda: job.silent_s > 0.5)
        assert told[-2:] == ["spoke", job]


def test_a_training_may_be_silent_for_long(jobs):
    habits = {name: lane._habits for name, lane in jobs._lanes.items()}
    assert habits["train"].hang_after_s == 40 * habits["compute"].hang_after_s


def test_a_job_that_keeps_reporting_is_not_taken_for_hung(monkeypatch):
    silent, heard_at, hear = [], [], Job.hear
    monkeypatch.setattr(Job, "hear", lambda job: (hear(job), heard_at.append(time.monotonic())))
    with Jobs(lambda call: call(), hang_after_s=0.5, hung=silent.append) as jobs:
        jobs.call("compute", f"{HERE}:who")
        silent.clear()
        heard_at[:] = [time.monotonic()]
        jobs.call("compute", f"{HERE}:report_often", 100, 0.01)
    gaps = np.diff([*heard_at, time.monotonic()])
    assert gaps.sum() > 2 * 0.5
    # On a machine that is busy enough it may really have been silent for so long.
    assert len(silent) <= (gaps > 0.4).sum()


def test_a_child_leaves_no_core_file_and_cannot_be_read(jobs):
    told = jobs.call("files", f"{HERE}:limits")
    assert (told["core"], told["dumpable"], told["nice"]) == (0, 0, os.nice(0))
    assert 0 < told["memory"] < psutil.virtual_memory().total
    assert jobs.call("compute", f"{HERE}:limits")["nice"] == min(19, os.nice(0) + 5)


# -- the end -------------------------------------------------------------------------------


def test_closing_ends_every_child_within_three_seconds():
    before = children()
    jobs = Jobs(lambda call: call())
    deaf, heard = begin(jobs, "compute", "sleep_deaf")
    queued, _ = begin(jobs, "compute", "double", 1)
    polite, _ = begin(jobs, "train", "sleep_polite")
    idle = jobs.call("files", f"{HERE}:who")
    assert soon(lambda: deaf.pid and polite.pid and heard.of("progress"))
    started = time.monotonic()
    jobs.close()
    assert time.monotonic() - started < seconds(3)
    assert not any(is_running(pid) for pid in (deaf.pid, polite.pid, idle))
    assert children() <= before
    assert queued.state == "cancelled"
    assert heard.of("done") == heard.of("failed") == []


def test_children_that_the_system_cannot_end_are_not_waited_for_for_ever(monkeypatch):
    """As those are that wait for a disk in a network."""
    gate, really = threading.Event(), lane.Child.end

    def end(child, patience_s=0.0):
        assert gate.wait(PATIENCE_S)
        return really(child, patience_s)

    monkeypatch.setattr(lane.Child, "end", end)
    monkeypatch.setattr("medview.services.jobs._GIVE_UP_S", 0.2)
    jobs = Jobs(lambda call: call())
    pids = [jobs.call(name, f"{HERE}:who") for name in ("files", "pages")]
    started = time.monotonic()
    jobs.close()
    assert time.monotonic() - started < seconds(1)
    gate.set()
    assert soon(lambda: not any(is_running(pid) for pid in pids))


def test_closing_twice_and_asking_after_it_does_no_harm():
    jobs = Jobs(lambda call: call())
    jobs.close()
    jobs.close()
    with pytest.raises(WorkerDied, match="the program is closing"):
        begin(jobs, "files", "double", 1)


# It says so when both children sleep and it waits for one of them itself.
_PARENT = """
import threading
from medview.services.jobs import Jobs
jobs, asleep = Jobs(lambda call: call()), threading.Event()
job = jobs.run("compute", "services.works:sleep_deaf", progress=lambda *report: asleep.set())
asleep.wait()
jobs.call("files", "services.works:sleep_deaf",
          progress=lambda *report: print(job.pid, flush=True))
"""


def start_a_parent():
    root = Path(__file__).parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{root}:{root / 'tests'}"},
    )
    return parent, int(parent.stdout.readline())


def test_children_do_not_outlive_a_parent_that_is_killed():
    parent, child = start_a_parent()
    pids = [child.pid for child in psutil.Process(parent.pid).children()]
    assert child in pids
    assert len(pids) == 2
    parent.kill()
    parent.communicate()
    assert soon(lambda: not any(is_running(pid) for pid in pids))


def test_control_c_ends_the_children_and_the_caller():
    parent, _ = start_a_parent()
    pids = [child.pid for child in psutil.Process(parent.pid).children()]
    started = time.monotonic()
    parent.send_signal(signal.SIGINT)
    _, errors = parent.communicate(timeout=60)
    assert time.monotonic() - started < seconds(3)
    assert errors.strip().endswith("KeyboardInterrupt")
    assert not any(is_running(pid) for pid in pids)
