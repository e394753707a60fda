#!/bin/bash
# Builds the fuzz targets, replays every corpus and every former finding, then fuzzes each target for so many seconds:
#   tests/fuzz/run.sh [--fixed] [SECONDS [TARGET...]]         30 seconds of every target, when nothing else is said
# Two targets run at a time (SONDE_JOBS). Any finding ends it with status 1; the input is kept in build/fuzz/findings:
# when it is mended, move it to tests/fuzz/regressions/TARGET. New inputs gather in build/fuzz/corpus/TARGET, which
# stays for the next run; seeds.py says how a few of them come into the tree.
#
# --fixed: the same new inputs for the same code, from a fixed seed and in a fixed number, what two cores try in about
# so many seconds. CI's step `fuzz` does that, for 8 seconds each: a change is refused for what it does, not by chance,
# and 15 targets are a minute beside the replay and the build. Chance is for this script by hand, for a change that
# touches what reads bytes or text: thirty seconds each, or a night.
set -euo pipefail
cd "$(dirname "$0")/../.."

fixed=''
case ${1:-} in
    -h | --help) sed -n '2,12s/^# \?//p' "$0"; exit 0 ;;
    --fixed) fixed=1; shift ;;
esac
seconds=${1:-30}
shift || true
if ! command -v clang++-19 >/dev/null || ! ls /usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.fuzzer-*.a >/dev/null 2>&1; then
    echo "tests/fuzz/run.sh: fuzzing needs clang-19 and libclang-rt-19-dev (cmake/packages.sh ci)." >&2
    echo "The corpora are replayed without them: ctest --preset asan -L fuzz" >&2
    exit 3
fi
if command -v ninja >/dev/null; then export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"; fi
jobs=${SONDE_JOBS:-$(nproc)}
build=build/fuzz programs=build/clang/tests/fuzz

cmake --preset clang >/dev/null
cmake --build --preset clang --parallel "$jobs" --target fuzz_targets
targets=("$@")
if [ $# = 0 ]; then mapfile -t targets < <(cd "$programs" && ls -d fuzz_* | sed -n 's/^fuzz_//p'); fi
mkdir -p "$build/findings" "$build/logs"

# What the target may take: a second for one input, 64 MiB for one allocation; the size of its inputs.
limits_of() {
    case $1 in
        expression) echo "-max_len=1024 -dict=tests/fuzz/expression.dict" ;;
        filter) echo "-max_len=320 -dict=tests/fuzz/filter.dict" ;;
        pcap | pcapng) echo "-max_len=2048" ;;
        matcher) echo "-max_len=512" ;;
        *) echo "-max_len=1024" ;;
    esac
}

# Inputs that a core tries in a second, roughly: what --fixed takes for a second.
pace_of() {
    case $1 in
        filter) echo 20000 ;;
        matcher) echo 4000 ;;
        expression | link | pcap | pcapng) echo 2000 ;;
        *) echo 700 ;;
    esac
}

# One target: all that is kept, then new inputs. Prints a line.
fuzz() {
    local target=$1 known=() log=$build/logs/$1.log
    local gathered=$build/corpus/$target until="-max_total_time=$seconds"
    if [ "$fixed" ]; then
        gathered=$build/fixed/$target until="-seed=1 -runs=$(($(pace_of "$target") * seconds))"
        rm -rf "$gathered"
    fi
    mkdir -p "$gathered" "$build/findings/$target"
    for directory in corpus regressions; do
        if [ -d "tests/fuzz/$directory/$target" ]; then known+=("tests/fuzz/$directory/$target"); fi
    done
    local program=$programs/fuzz_$target
    # shellcheck disable=SC2046,SC2086  # words
    if "$program" $(limits_of "$target") $until -timeout=1 -rss_limit_mb=1024 -malloc_limit_mb=64 -print_final_stats=1 \
        -artifact_prefix="$build/findings/$target/" "$gathered" "${known[@]}" >"$log" 2>&1; then
        echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
    else
        echo "$target: FOUND something:"
        tail -n 60 "$log"
        return 1
    fi
}
export -f fuzz limits_of pace_of
export build programs seconds fixed
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz {}'
