#!/usr/bin/env bash
# Sets up as run.sh does, with the tools, and runs every check; non-zero when one of them fails.
#   bash packaging/test.sh [WORDS FOR PYTEST...]
set -euo pipefail
# shellcheck source=packaging/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

prepare dev

# Like a machine that nobody looks at, and the same wherever it runs; workers are processes
# of their own, so one thread each is what two cores can bear.
unset DISPLAY WAYLAND_DISPLAY
export QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1
# Large arrays come and go: to take their memory from the system anew and anew, page by page,
# was up to a fifth of the time.
export MALLOC_MMAP_THRESHOLD_=268435456 MALLOC_TRIM_THRESHOLD_=536870912
# Hundreds of children import the program, and each would compile it anew.
unset PYTHONDONTWRITEBYTECODE
bin="$venv/bin"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
results=()
failed=0

check() {
    local name="$1"
    shift
    echo "== $name"
    if "$@" < /dev/null; then
        results+=("passed  $name")
    else
        results+=("FAILED  $name")
        failed=1
    fi
}

# Two workers on two cores; more than four would crowd the memory.
cores="$(nproc)"
workers=$((cores < 2 ? 2 : cores > 4 ? 4 : cores))

tests() {
    "$bin/pytest" -n "$workers" --dist loadfile --no-loadscope-reorder --durations=10 "$@" 2>&1 | tee "$log"
}

check "ruff check" "$bin/ruff" check .
check "ruff format" "$bin/ruff" format --check .
# Beside mypy, which keeps one core busy: every worker of pytest would compile every test anew.
"$bin/pytest" --collect-only --quiet > /dev/null 2>&1 < /dev/null &
collected=$!
check "mypy" "$bin/mypy"
check "import-linter" "$bin/lint-imports"
wait "$collected" || true  # what cannot be collected is told below
check "pytest" tests "$@"

echo "== results"
printf '%s\n' "${results[@]}"
grep -E '^=+ .* in [0-9.]+s' "$log" | tail -n 1 || true
exit "$failed"
