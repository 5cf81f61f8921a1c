"""What a till costs while nobody uses it."""

import os
import re
import subprocess

from lab import AUTO, hid_pos_scanner, scenario, serial_printer_config

SECONDS = 60
PROCESSOR_SECONDS = 0.1
# The same program on the emulated processor and on the real one shows how much slower it is.
WORK = "for n in $(/bin/busybox seq 500); do /bin/busybox true; done"


@scenario
def idle(lab):
    """A till that looks for scanners by itself uses less than a tenth of a second in a minute."""
    lab.install_rules()
    printer = lab.serial_printer()
    lab.plugged(hid_pos_scanner(lab))
    till = lab.open_till(AUTO + serial_printer_config(printer), "Scanner ready", "Printer ready", "WeChat Pay ready")
    before = processor_seconds(lab, till)
    lab.guest.run(f"sleep {SECONDS}", SECONDS + 60)
    emulated = processor_seconds(lab, till) - before
    used = emulated / slowness(lab)
    lab.figures["processor time in 60 s of idling, emulated"] = [emulated]
    lab.figures["processor time in 60 s of idling, as on this machine"] = [used]
    assert used < PROCESSOR_SECONDS, f"{used:.3f} s in {SECONDS} s"
    till.close()


def processor_seconds(lab, till):
    """The time all its threads have used, as counted by the scheduler, not sampled by ticks."""
    counts = lab.guest.run(f"cat /proc/{till.process}/task/*/schedstat").splitlines()
    return sum(int(line.split()[0]) for line in counts) / 1e9


def slowness(lab):
    """How many times slower the emulated processor is than this machine's."""
    inside = lab.guest.run(f"time /bin/busybox sh -c '{WORK}'")
    emulated = sum(60 * int(minutes) + float(seconds) for minutes, seconds in re.findall(r"(?:user|sys)\s+(\d+)m ([\d.]+)s", inside))
    before = os.times()
    subprocess.run(["/bin/busybox", "sh", "-c", WORK], check=True)
    after = os.times()
    used = after.children_user - before.children_user + after.children_system - before.children_system
    return emulated / max(0.01, used)
