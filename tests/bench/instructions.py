#!/usr/bin/env python3
"""How many instructions and allocations one packet takes: tests/bench/instructions.py SONDE_BENCH

Each work is done N times and 2 N times under callgrind: the difference is what N of them take, without start and end.
The last, `sr` that the kernel answers on the loopback interface of a namespace of its own, allocates nothing for each
probe: what is left are the turns of the loop, which have many probes each. How fast the kernel answers decides how
many instructions it takes: these are not counted.
It prints a line for each, and fails where one takes more than its ceiling. Ceilings lie about a third above what was
measured, so that what a compiler changes passes and what a change of the code costs shows.
"""
import os
import re
import shutil
import subprocess
import sys

# work: instructions, allocations
ceilings = {
    "build": (2750, 1.5),
    "set": (2100, 1.5),
    "template": (450, 0.5),
    "dissect": (2050, 0.5),
    "match": (3500, 0.5),
    "sr": (40000, 24),
}
count = 2000
kernel_count, kernel_ceiling = 20000, 0.25


def cost(bench, work, count):
    ran = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", bench, "count", work, str(count)],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    collected = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode != 0 or not collected:
        sys.exit(f"{work}: {ran.stderr}")
    return int(collected[1]), int(re.search(r"allocations=(\d+)", ran.stdout)[1])


def allocated_in_namespace(bench, count):
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    ran = subprocess.run(alone + ["sh", "-c", 'ip link set lo up && exec "$0" count kernel "$1"', bench, str(count)],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    if ran.returncode != 0:
        sys.exit(f"kernel: {ran.stderr}")
    return int(re.search(r"allocations=(\d+)", ran.stdout)[1])


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
once, twice = (allocated_in_namespace(sys.argv[1], n) for n in (kernel_count, 2 * kernel_count))
allocations = (twice - once) / kernel_count
good &= allocations <= kernel_ceiling
print(f"{'kernel':8} {'':12} {'':8} {allocations:12.2f} {kernel_ceiling:8}{'' if allocations <= kernel_ceiling else '  TOO MANY'}")
sys.exit(not good)
