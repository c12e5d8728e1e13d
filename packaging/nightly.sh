#!/usr/bin/env bash
# What takes too long for every change: slow tests, all damaged files, and a search led by the
# lines that it reaches. Non-zero when one of them fails. Files that broke a reader, and those
# that reached new lines, are kept in fuzz-corpus/ for the next night.
#   bash packaging/nightly.sh [MINUTES OF THE SEARCH]
set -euo pipefail
# shellcheck source=packaging/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

prepare dev

unset DISPLAY WAYLAND_DISPLAY
export QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1
bin="$venv/bin"
failed=0

check() {
    echo "== $1"
    shift
    "$@" < /dev/null || failed=1
}

check "slow tests" "$bin/pytest" -m slow
check "damaged files" "$bin/python" -m medview bench fuzz --check
check "search" "$bin/python" packaging/guided_fuzz.py fuzz-corpus --minutes "${1:-10}"
exit "$failed"
