"""Settings of the whole test run."""

import os
import signal
import sys

# Windows are drawn into memory where there is no display.
if sys.platform.startswith("linux") and not (
    os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# A run that was started in the background ignores Ctrl-C, and so would all that it starts;
# tests that interrupt a child need it to listen.
signal.signal(signal.SIGINT, signal.default_int_handler)
