#!/usr/bin/env python3
"""How many instructions and allocations one packet takes: tests/bench/instructions.py SONDE_BENCH

Each work is done N times and 2 N times under callgrind: the difference is what N of them take, without start and end.
It prints a line for each, and fails where one takes more than its ceiling. Ceilings lie about a third above what was
measured, so that what a compiler changes passes and what a change of the code costs shows.
"""
import re
import shutil
import subprocess
import sys

# work: instructions, allocations
ceilings = {
    "build": (4700, 4),
    "set": (2400, 4),
    "template": (450, 0.5),
    "dissect": (2250, 2.5),
    "match": (3500, 0.5),
    "sr": (43500, 32),
}
count = 2000


def cost(bench, work, count):
    ran = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", bench, "count", work, str(count)],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    collected = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode != 0 or not collected:
        sys.exit(f"{work}: {ran.stderr}")
    return int(collected[1]), int(re.search(r"allocations=(\d+)", ran.stdout)[1])


if len(sys.argv) != 2:
    sys.exit(__doc__)
if not shutil.which("valgrind"):
    print("no valgrind here: nothing is counted")
    sys.exit(77)
good = True
print(f"{'':8} {'instructions':>12} {'ceiling':>8} {'allocations':>12} {'ceiling':>8}")
for work, (most_instructions, most_allocations) in ceilings.items():
    once, twice = cost(sys.argv[1], work, count), cost(sys.argv[1], work, 2 * count)
    instructions, allocations = ((b - a) / count for a, b in zip(once, twice))
    fits = instructions <= most_instructions and allocations <= most_allocations
    good &= fits
    print(f"{work:8} {instructions:12.0f} {most_instructions:8} {allocations:12.2f} {most_allocations:8}{'' if fits else '  TOO MANY'}")
sys.exit(not good)
