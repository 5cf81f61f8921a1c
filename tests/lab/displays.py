"""The customer display."""

import re

from devices import SerialAdapter
from lab import pay, scenario, serial_scanner_config
from unplugged import comes_back_elsewhere, goes, returns
from waiting import wait_for


@scenario(in_ci=True)
def display_unplugged(lab):
    """A display shows amount and result; unplugged it delays nothing, replugged it is current."""
    scanner = lab.serial_scanner()
    display = lab.plugged(SerialAdapter(lab.guest, "display", "VFD0001"))
    config = f'[display]\nkind = "cd5220"\nport = "{display.path}"\n'
    till = lab.open_till(serial_scanner_config(scanner) + config, "Scanner ready", "Display ready")
    till.charge("12.34")
    shows(display, "SHOW PAYMENT CODE", "CNY 12.34")
    comes_back_elsewhere(lab, display, "Display")
    shows(display, "SHOW PAYMENT CODE", "CNY 12.34")
    goes(lab, display, "Display")
    pay(lab, scanner, lab.bank.code())
    assert "PAID" not in lines(display)
    returns(lab, display, "Display")
    shows(display, "PAID", "CNY 12.34")
    till.close()


def shows(display, upper, lower):
    wait_for(f"on the display: {upper}, {lower}", lambda: lines(display) == (upper, lower))


def lines(display):
    """The two lines of a CD5220 display, as last written (devices 3)."""
    sent = display.printed().decode()
    last = [re.findall(rf"\x1bQ{line}([^\r]*)\r", sent) for line in "AB"]
    return tuple(texts[-1].strip() if texts else "" for texts in last)
