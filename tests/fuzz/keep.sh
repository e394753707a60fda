#!/bin/bash
# Keeps in tests/fuzz/corpus/TARGET the few inputs that cover what the seeds and the fuzzer's own corpus cover:
#   tests/fuzz/keep.sh SEEDS [TARGET...]      SEEDS: what seeds.py wrote, without SONDE_CONFORMANCE
# Only what came from our own expressions may be kept: a corpus in build/fuzz/corpus that grew from other frames must go
# before. Inputs of over 1 KiB are left out, and so are further ones behind the first 48.
set -euo pipefail
cd "$(dirname "$0")/../.."
seeds=$(realpath "${1:?the directory that seeds.py wrote}")
shift
targets=("$@")
if [ $# = 0 ]; then mapfile -t targets < <(ls "$seeds"); fi
for target in "${targets[@]}"; do
    kept=tests/fuzz/corpus/$target
    fresh=$(mktemp -d)
    found=("$seeds/$target")
    for more in "build/fuzz/corpus/$target" "$kept"; do if [ -d "$more" ]; then found+=("$more"); fi; done
    build/clang/tests/fuzz/"fuzz_$target" -set_cover_merge=1 -max_len=1024 "$fresh" "${found[@]}" >/dev/null 2>&1
    rm -rf "$kept" && mkdir -p "$kept"
    find "$fresh" -type f -size -1025c -printf '%s %p\n' | sort -n | head -n 48 | cut -d' ' -f2- | xargs -r cp -t "$kept"
    rm -rf "$fresh"
    echo "$target: $(find "$kept" -type f | wc -l) inputs, $(du -bs "$kept" | cut -f1) bytes"
done
