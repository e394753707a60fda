#!/usr/bin/env python3
"""clang-tidy over our sources: .ci/tidy.py BUILD_DIRECTORY [FILE...]

What has passed is not looked at again while nothing that it is made of has changed: the preprocessed text with its
comments (NOLINT is one), the checks, and clang-tidy itself. As ccache does for objects, and beside its cache.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

tidy = "clang-tidy-19"
build = pathlib.Path(sys.argv[1])
wanted = {os.path.realpath(name) for name in sys.argv[2:]}
passed = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "sonde-tidy"
passed.mkdir(parents=True, exist_ok=True)
checks = pathlib.Path(".clang-tidy").read_bytes() + subprocess.check_output([tidy, "--version"])


def content(entry):
    words = shlex.split(entry["command"])
    compiler = next(i for i, word in enumerate(words) if "clang" in word)  # behind ccache
    words = words[compiler:]
    at = words.index("-o")
    del words[at:at + 2]
    words[words.index("-c")] = "-E"
    text = subprocess.check_output(words + ["-C", "-P"], cwd=entry["directory"])
    return hashlib.sha256(checks + text).hexdigest()


def look_at(entry):
    try:
        seen = passed / content(entry)
    except subprocess.CalledProcessError:  # clang-tidy tells what is wrong with it
        seen = None
    if seen and seen.exists():
        return True, ""
    ran = subprocess.run([tidy, "--quiet", "-p", build, entry["file"]], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True)
    if ran.returncode == 0 and seen:
        seen.touch()
    return ran.returncode == 0, ran.stdout + ("" if ran.returncode == 0 else ran.stderr)


entries = [e for e in json.loads((build / "compile_commands.json").read_text()) if os.path.realpath(e["file"]) in wanted]
if missing := wanted - {os.path.realpath(e["file"]) for e in entries}:
    sys.exit(f"{build} does not compile {', '.join(sorted(missing))}")
with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("SONDE_JOBS") or os.cpu_count())) as workers:
    good = True
    for fine, said in workers.map(look_at, entries):
        good &= fine
        print(said, end="", flush=True)
sys.exit(not good)
