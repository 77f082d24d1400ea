# Sourced by bin/run and bin/test: goes to the repository's root and makes .venv with the named requirements files.

environment() {
    cd "$(dirname "$0")/.." || exit 1
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$python" bin/environment.py "$@" || exit 1
            return
        fi
    done
    echo "undertone: Python 3.11 or newer is needed and not on the PATH; install it, or name one: PYTHON=/path/to/python3 $0" >&2
    exit 1
}
