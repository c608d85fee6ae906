#!/bin/sh
# Make a virtual environment and fill it with pinned, hash-checked packages.
#
#   requirements/venv.sh PYTHON FOLDER REQUIREMENTS
#
# Debian and Ubuntu ship python3 without what `python3 -m venv` needs. Root gets
# it installed; anybody else who has pip may still use that, or is told the command.
set -eu
python=$1 venv=$2 requirements=$3

command -v "$python" >/dev/null || { echo "There is no $python here. Install Python 3.11 or newer, or say: make PYTHON=/path/to/python3" >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "$python is $("$python" -V 2>&1); Sancho needs 3.11 or newer. Say: make PYTHON=/path/to/python3.11" >&2; exit 1; }

has() { "$python" -c "import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))" "$@"; }

if ! has venv ensurepip && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    exec 9<"$0"
    flock 9 # two environments are made at once, and apt-get bears only one of them
    package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    if ! has venv ensurepip; then
        echo "Installing $package ..."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" >/dev/null
    fi
    flock -u 9
fi

compile() {
    # Compiled once and on all cores, for programs that start beside each other would each do it; the tests that packages
    # bring are never run, and some packages next to never. Files that are for another Python do not matter.
    "$venv/bin/python" -m compileall -q -j 0 -x '/(tests?|pip|setuptools|pkg_resources|fontTools|pygments/lexers)/' "$venv/lib" >/dev/null 2>&1 || true
}

uv=.venv/bin/uv # of the environment that is made first, for the others
if [ "$venv" != .venv ] && [ -x $uv ]; then
    echo "Installing $requirements into $venv ..."
    if $uv venv --quiet --clear --python "$python" "$venv" && $uv pip install --quiet --python "$venv/bin/python" --require-hashes --requirement "$requirements"; then
        compile
        exit 0
    fi
    echo "uv could not do it; pip goes on ..."
fi

if has venv ensurepip; then
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear "$venv"
    set -- "$venv/bin/python" -m pip
elif has venv pip; then
    "$venv/bin/python" -c '' 2>/dev/null || "$python" -m venv --clear --without-pip "$venv"
    set -- "$python" -m pip --python "$venv/bin/python"
else
    echo "$python cannot make virtual environments. Install what it lacks, for example: sudo apt-get install python3-venv" >&2
    exit 1
fi

install() { "$@" install --quiet --no-compile --disable-pip-version-check --no-warn-script-location $options; }
echo "Installing $requirements into $venv ..."
# uv needs a tenth of the time; where it cannot be had, or reach what pip can, pip does it.
options="--require-hashes --requirement requirements/uv.txt"
if ! { install "$@" && "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --require-hashes --requirement "$requirements"; }; then
    echo "uv could not do it; pip goes on ..."
    options="--require-hashes --requirement $requirements"
    install "$@"
fi
if [ "$requirements" = requirements/dev.txt ]; then
    options="--no-deps --no-build-isolation --editable ."
    install "$@"
fi
compile
