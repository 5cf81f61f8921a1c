"""The lab's command: builds the guest, plays scenarios in it, and reports the results."""

import argparse
import contextlib
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import displays
import image
import idle
import keyboards
import payments
import scanners
import stalled
import unplugged
from guest import Guest
from lab import SCENARIOS, Lab

sys.stdout.reconfigure(line_buffering=True)


def main():
    options = arguments()
    chosen = {name: play for name, play in SCENARIOS.items() if is_chosen(name, play, options)}
    if options.list:
        for name, play in chosen.items():
            print(f"{name:24} {'ci' if play.in_ci else '  '} {play.__doc__}")
        return 0
    if not chosen:
        print("no scenario has such a name; --list shows all", file=sys.stderr)
        return 2
    # Makes sure that the guest ends whichever way this exits.
    for way_out in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(way_out, lambda number, _: sys.exit(128 + number))
    began = time.monotonic()
    try:
        image.prepare()
    except image.Unavailable as reason:
        if not options.ci:
            raise SystemExit(f"the lab cannot be had: {reason}") from reason
        print(f"the lab is skipped: {reason}")
        return 0
    till = options.till or build_till(options.release)
    with tempfile.TemporaryDirectory(prefix="paytill-lab-") as folder:
        kernel, files = image.build(pathlib.Path(folder), till)
        print(f"built in {time.monotonic() - began:.0f} s")
        passed, failed, figures = play_all(chosen, pathlib.Path(folder), kernel, files)
    for what, seconds in figures.items():
        print(f"  {what}: {1000 * min(seconds):.0f} to {1000 * max(seconds):.0f} ms in {len(seconds)}")
    print(f"played in {time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/lab", description="The real till in a virtual machine with devices.")
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--only", default="", metavar="NAME,...", help="those whose names begin so")
    parser.add_argument("--ci", action="store_true", help="those of CI; say so and end well where there can be no lab")
    parser.add_argument("--release", action="store_true", help="play the till as it is released")
    parser.add_argument("--till", type=pathlib.Path, metavar="FILE", help="play this binary")
    return parser.parse_args()


def is_chosen(name, play, options):
    if options.only:
        return any(name.startswith(beginning) for beginning in options.only.split(","))
    return play.in_ci or not options.ci


def build_till(release):
    """The binary that the tests use too, or the released one."""
    command = ["cargo", "build", "--quiet", "--locked", *(["--release"] if release else [])]
    if subprocess.run(command).returncode:
        raise SystemExit("the till cannot be built")
    target = pathlib.Path(image.target_folder())
    return target / ("release" if release else "debug") / "paytill"


def play_all(chosen, folder, kernel, files):
    passed, failed, figures, left = 0, 0, {}, list(chosen.items())
    while left:
        # A new guest, if a scenario has ended the last one.
        with Guest(folder, kernel, files) as guest:
            lab = start(guest, figures)
            while left and guest.is_alive():
                name, play = left.pop(0)
                if play_one(lab, name, play):
                    passed += 1
                else:
                    failed += 1
    return passed, failed, figures


def start(guest, figures):
    began = time.monotonic()
    try:
        guest.boot()
        lab = Lab(guest, figures)
    except BaseException:
        print(guest.console.read_text(errors="replace"))
        raise
    print(f"started in {time.monotonic() - began:.0f} s")
    return lab


def play_one(lab, name, play):
    began = time.monotonic()
    try:
        play(lab)
    # Whatever a scenario raises is its own failure, not that of the others.
    except Exception:
        print(f"FAILED {name} after {time.monotonic() - began:.1f} s: {play.__doc__}")
        traceback.print_exc(file=sys.stdout)
        with contextlib.suppress(Exception):
            print(lab.evidence())
        return False
    finally:
        try:
            lab.clear()
        except Exception:
            lab.guest.end()
    print(f"passed {name} in {time.monotonic() - began:.1f} s")
    return True


sys.exit(main())
