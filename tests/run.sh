#!/bin/sh
# Installs what is missing (as root), builds sonde and passes all its tests: tests/run.sh [--quick] [PRESET]
# --quick leaves out the tests of the build itself (headers alone, use from other projects). PRESET: dev, or another
# of CMakePresets.json. Packets go to private network namespaces only.
set -eu
cd "$(dirname "$0")/.."

leave_out='' preset=dev
for word in "$@"; do
    case $word in
        --quick) leave_out=build ;;
        -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
        -*) echo "tests/run.sh: unknown option $word" >&2; exit 2 ;;
        *) preset=$word ;;
    esac
done

cmake/packages.sh build tests
if command -v ninja >/dev/null; then export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"; fi
jobs=${SONDE_JOBS:-$(nproc)}

cmake --preset "$preset"
cmake --build --preset "$preset" --parallel "$jobs"
# Those that measure time run alone (RUN_SERIAL).
ctest --preset "$preset" --no-tests=error --parallel "$jobs" ${leave_out:+--label-exclude "$leave_out"}
