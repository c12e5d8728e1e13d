#!/usr/bin/env bash
# From a bare Debian or Ubuntu to the running program:
#   bash packaging/run.sh            the demo; without a display it runs unseen and ends by itself
#   bash packaging/run.sh WORDS...   the same as: medview WORDS...   (a folder of images, a command)
set -euo pipefail
# shellcheck source=packaging/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

prepare run
cd "$OLDPWD"

# A display that is named but does not answer would end the program with an abort.
display_answers() {
    [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] &&
        "$venv/bin/python" -c "from PySide6.QtGui import QGuiApplication; QGuiApplication([])" \
            > /dev/null 2>&1
}

if [ $# -gt 0 ]; then
    exec "$venv/bin/medview" "$@"
fi
if display_answers; then
    exec "$venv/bin/medview" demo
fi
echo "== no display: the demo runs unseen"
"$venv/bin/medview" demo --headless
echo "== done; pictures, maps and the report are in $PWD/medview-demo"
