import os
import subprocess
import sys

from medview.cli.benches.memory import PeakMemory, memory_mb

WAIT = "import sys; data = bytearray(50 << 20); print('there', flush=True); sys.stdin.read()"


def test_what_is_taken_and_given_back_meanwhile_is_seen():
    with PeakMemory(os.getpid()) as peak:
        before = memory_mb(os.getpid())
        block = bytearray(os.urandom(1)) * (200 << 20)
        del block
    # Single pages come and go meanwhile.
    assert peak.mb > before - 1


def test_another_process_counts_as_soon_as_it_is_named():
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", WAIT], stdin=pipe, stdout=pipe) as child:
        child.stdout.readline()
        own = memory_mb(os.getpid())
        assert memory_mb(os.getpid(), child.pid) > own + 30  # of 60, and own ones may go meanwhile
        child.stdin.close()


def test_a_process_that_has_ended_takes_nothing():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert memory_mb(child.pid) == 0
