# shellcheck shell=bash
# Shared by run.sh and test.sh, which source it: everything from a bare system to a ready .venv.
# Usage: prepare run|dev     ("dev" adds the tools of test.sh)

repo="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$repo/.venv"
cd "$repo" || exit 1

# pip: no question, no colour, no notice of newer versions.
export PIP_NO_INPUT=1 PIP_NO_COLOR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

prepare() {
    local level="$1" stamp
    stamp="$(fingerprint)"
    if ready "$level" "$stamp"; then
        return
    fi
    system_packages packaging/apt.txt
    if [ "$level" = dev ]; then
        system_packages packaging/apt-dev.txt
    fi
    make_venv
    install "$level"
    libraries_load
    echo "$stamp" > "$venv/.installed-run"
    if [ "$level" = dev ]; then
        echo "$stamp" > "$venv/.installed-dev"
    fi
}

# Changes whenever something has to be installed again; the folder is part of it because an
# environment does not work from another place.
fingerprint() {
    { pwd; cat pyproject.toml packaging/constraints.txt packaging/apt*.txt; } | sha256sum | cut -c1-64
}

ready() {
    [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.installed-$1" 2>/dev/null)" = "$2" ]
}

# Install what is missing of a list where that is allowed without a question; else say how.
system_packages() {
    local list="$1" missing admin=() line
    if ! command -v dpkg-query > /dev/null; then
        echo "medview: no Debian or Ubuntu here; needed are the counterparts of $list." >&2
        return
    fi
    read -r -a missing <<< "$(missing_packages "$list" | tr '\n' ' ')"
    if [ "${#missing[@]}" -eq 0 ]; then
        return
    fi
    line="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2> /dev/null; then
            echo "medview: some packages of $list are missing. To install them:" >&2
            echo "  sudo sh -c '$line'" >&2
            return
        fi
        admin=(sudo -n)
    fi
    echo "== system packages: ${missing[*]}"
    if ! "${admin[@]}" env DEBIAN_FRONTEND=noninteractive sh -c "$line" < /dev/null; then
        echo "medview: the packages of $list could not be installed. To try by hand:" >&2
        echo "  sudo sh -c '$line'" >&2
    fi
}

# Qt and weasyprint open the system libraries as they are imported.
libraries_load() {
    local answer
    if ! answer="$(QT_QPA_PLATFORM=offscreen "$venv/bin/python" -c \
        "import PySide6.QtWidgets, weasyprint" 2>&1)"; then
        echo "medview: a system library is missing: $(tail -n 1 <<< "$answer")" >&2
        echo "  Needed are the packages of packaging/apt.txt." >&2
        exit 1
    fi
}

missing_packages() {
    local list="$1" name
    while read -r name; do
        case "$name" in
            "" | "#"*) continue ;;
            # A Python from elsewhere serves as well.
            python3 | python3-venv) if find_python > /dev/null; then continue; fi ;;
        esac
        if ! installed "$name" && ! installed "${name}t64"; then
            echo "$name"
        fi
    done < "$list"
}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

# Print the first Python that fits pyproject.toml and can make environments.
find_python() {
    local name
    for name in "${MEDVIEW_PYTHON:-}" python3 python3.11 python3.12 python3.13; do
        if [ -n "$name" ] && "$name" -c "$python_fits" 2> /dev/null; then
            echo "$name"
            return
        fi
    done
    return 1
}
python_fits='
import sys, venv, ensurepip
sys.exit(not (3, 11) <= sys.version_info < (3, 14))'

make_venv() {
    local python
    if ! python="$(find_python)"; then
        echo "medview: needs Python 3.11, 3.12 or 3.13 with its venv module; none was found." >&2
        echo "  On Debian 12 and later: sudo apt-get install -y python3 python3-venv" >&2
        exit 1
    fi
    if ! environment_works; then
        echo "== environment: $("$python" --version), .venv"
        "$python" -m venv --clear "$venv"
    fi
}

# Programs in an environment name its place: one that was moved or copied runs the old one's.
environment_works() {
    "$venv/bin/python" -c "$python_fits" 2> /dev/null && grep -qsF "$venv/bin/" "$venv/bin/pip"
}

# torch first and alone: whatever is asked for later then finds it there and leaves it alone.
install() {
    local what=.
    if [ "$1" = dev ]; then
        what=".[dev]"
    fi
    echo "== torch"
    pip_install torch
    echo "== everything else (some minutes at the first time)"
    pip_install --editable "$what"
}

# Shows what it does on a terminal only.
pip_install() {
    local quiet=(--quiet)
    if [ -t 1 ]; then
        quiet=()
    fi
    "$venv/bin/python" -m pip install "${quiet[@]}" --constraint packaging/constraints.txt "$@" < /dev/null
}
