#!/bin/sh
# Usage: venv.sh VENV [PYTHON]
# Creates VENV and installs the package with its test requirements, numba and, where they can be had, the
# packages of the extras export and notebook into it.
# Does nothing when the stamp in VENV says that the same requirements are already there.
# The stamp is written last; an installation that did not finish is started again from nothing.
set -eu

venv=$1
wanted=${2:-}
stamp=$venv/.installed
unfinished=$venv/.unfinished

say() { printf '%s\n' "$*" >&2; }

# Prints "3.11" when $1 runs, is 3.10 to 3.12 and can make environments; a reason otherwise (status 1).
check_python() {
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || {
        echo "$1 does not run"
        return 1
    }
    case $version in
        3.10 | 3.11 | 3.12) ;;
        3.1[3-9]) echo "$1 is Python $version, and numpy 1.26 has no build for it"; return 1 ;;
        *) echo "$1 is Python $version, and torch 2.13 has no build for it"; return 1 ;;
    esac
    "$1" -c 'import ensurepip, venv' 2>/dev/null || {
        echo "$1 (Python $version) lacks the modules venv and ensurepip"
        return 1
    }
    echo "$version"
}

find_python() {
    if [ -n "$wanted" ]; then
        if found=$(check_python "$wanted"); then
            python=$wanted
            return
        fi
        say "mmdualhand needs Python 3.10, 3.11 or 3.12: $found; give another one with make PYTHON=/path/to/python."
        exit 1
    fi
    reasons=
    for candidate in python3.11 python3.10 python3.12 python3; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        if found=$(check_python "$candidate"); then
            python=$candidate
            return
        fi
        reasons="$reasons${reasons:+, }$found"
    done
    say "mmdualhand needs Python 3.10, 3.11 or 3.12: ${reasons:-no python3 was found}; give one with make PYTHON=/path/to/python."
    exit 1
}

python=
[ -z "$wanted" ] || find_python
signature=$(cat setup.py requirements/*.txt .ci/venv.sh | cksum)" $(pwd)"

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$signature" ] && [ ! -e "$unfinished" ] \
    && have=$(check_python "$venv/bin/python"); then
    if [ -z "$wanted" ] || [ "$have" = "$found" ]; then
        exit 0
    fi
fi

[ -n "$python" ] || find_python
if [ -e "$venv" ] && [ ! -e "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv" 2>/dev/null)" ]; then
    say "$venv is there but is no Python environment: remove it, or choose another folder with make VENV=..."
    exit 1
fi

# An environment is used again only when it is whole and of the same Python and place.
reuse=no
if [ -f "$stamp" ] && [ ! -e "$unfinished" ] && [ "$(cut -d' ' -f3- "$stamp")" = "$(pwd)" ] \
    && have=$(check_python "$venv/bin/python") && [ "$have" = "$found" ]; then
    reuse=yes
fi
if [ "$reuse" = no ]; then
    # Moved away before it is deleted, so that an interrupted deletion leaves no half environment.
    rm -rf "$venv.discarded"
    [ ! -e "$venv" ] || mv "$venv" "$venv.discarded"
    rm -rf "$venv.discarded"
    mkdir -p "$venv"
    : >"$unfinished"
    say "creating $venv with $python (Python $found)"
    "$python" -m venv "$venv"
fi
: >"$unfinished"
rm -f "$stamp"

say 'installing mmdualhand and what its tests need'
"$venv/bin/python" -m pip install --disable-pip-version-check -q -c requirements/pinned.txt -e '.[tests,fast]'

# Tests of exported files and of the notebook are skipped without these, and say so.
for extra in export notebook; do
    "$venv/bin/python" -m pip install --disable-pip-version-check -q -c requirements/pinned.txt -r "requirements/$extra.txt" ||
        say "the extra $extra is left out: its tests are skipped"
done

# The desktop build of OpenCV needs libGL; where that is missing the headless build of the same version serves.
if ! "$venv/bin/python" -c 'import cv2' >/dev/null 2>&1; then
    headless=$(grep '^opencv-python-headless==' requirements/pinned.txt)
    say "opencv-python cannot be imported here (no libGL?): installing $headless in its place"
    "$venv/bin/python" -m pip install --disable-pip-version-check -q --no-deps --force-reinstall "$headless"
fi
"$venv/bin/python" -c 'import cv2, mmcv, mmengine, numpy, torch, mmdualhand'

rm -f "$unfinished"
printf '%s\n' "$signature" >"$stamp"
