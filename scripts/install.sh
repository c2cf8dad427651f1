#!/bin/sh
# Fills .venv from a hash-pinned lock: install.sh bootstrap|dev|bench. The Makefile calls it.
set -eu
tier=$1
venv=.venv
py=$venv/bin/python

find_python() {
    for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
        [ -n "$candidate" ] || continue
        command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "entrepot needs Python 3.11 or newer: install it, or say where it is with PYTHON=/path/to/python3.11" >&2
    exit 1
}

create_venv() {
    python=$(find_python)
    echo "creating $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv" || {
        echo "this Python cannot make virtual environments: install its venv package (Debian: python3-venv)" >&2
        exit 1
    }
}

# uv takes seconds where pip takes a minute; pip stands in where only pip knows the way to a mirror.
# Compiled here once, or every start of every process compiles it where Python may not write.
install_lock() {
    lock=requirements/$1.lock
    echo "installing $lock"
    "$py" -m uv pip install --quiet --compile-bytecode --python "$py" --require-hashes -r "$lock" ||
        "$py" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
}

if [ "$tier" = bootstrap ]; then
    "$py" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || create_venv
    "$py" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
else
    install_lock "$tier"
    "$py" -m uv pip install --quiet --offline --python "$py" --no-deps --no-build-isolation -e . ||
        "$py" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
fi
touch "$venv/.$tier"
