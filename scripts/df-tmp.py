#!/usr/bin/env python3
"""Puts one fault after another into a copy of the till, and reports which seed and which invariant of
the simulation catch it (tests/simulation/deliberate_faults.toml). About ten minutes on two cores.

    scripts/deliberate-faults            all faults
    scripts/deliberate-faults signature  those with this word in their name
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SALES = 60_000


NAMES = set(open("/tmp/hS-names").read().split("\n"))

def main():
    text = (ROOT / "tests/simulation/deliberate_faults.toml").read_text(encoding="utf-8")
    faults = [
        fault
        for fault in tomllib.loads(text)["fault"]
        if fault["name"] in NAMES
    ]
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "paytill"
        files = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT).decode().split("\0")
        for name in filter(None, files):
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy / name)
        for fault in faults:
            missed += not try_fault(copy, fault)
    print(f"{len(faults)} faults, {len(faults) - missed} caught by the invariant meant for them")
    sys.exit(1 if missed or not faults else 0)


def try_fault(copy, fault):
    path = copy / fault["file"]
    sound = path.read_text(encoding="utf-8")
    faulty = sound
    for before, after in fault["change"]:
        if faulty.count(before) != 1:
            print(f"MISSED  {fault['name']}: its place is not to be found")
            return False
        faulty = faulty.replace(before, after)
    path.write_text(faulty, encoding="utf-8")
    try:
        command = ["cargo", "build", "--quiet", "--locked", "--example", "simulate"]
        target = ROOT / "target" / "deliberate-faults"
        built = subprocess.run([*command, "--target-dir", target], cwd=copy, capture_output=True)
        if built.returncode:
            print(f"MISSED  {fault['name']}: does not build\n{built.stderr.decode()[-2000:]}")
            return False
        simulate = [target / "debug/examples/simulate", "--from", "1", "--sales", str(SALES)]
        told = subprocess.run(simulate, capture_output=True, text=True).stdout
    finally:
        path.write_text(sound, encoding="utf-8")
    violation = re.search(r"^VIOLATION (\w+): (.*)", told, re.M)
    again = re.search(r"^told again by: .*--seed (\d+)(.*)", told, re.M)
    if not violation:
        print(f"MISSED  {fault['name']}: nothing was found in {SALES} sales", flush=True)
        return False
    invariant, what = violation.groups()
    is_meant = invariant in fault["caught_by"]
    word = "caught" if is_meant else "MISSED"
    print(f"{word}  {fault['name']}: seed {again[1]}, {invariant}: {what[:100]}", flush=True)
    if "--verbose" in sys.argv:
        print(f"        {again[0]}", flush=True)
    return is_meant


main()
