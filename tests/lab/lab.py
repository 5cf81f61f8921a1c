"""What every scenario has at hand, and the list of scenarios."""

import itertools
import time

from devices import Keyboard, SerialAdapter
from gadgets import HidPosScanner, KeyboardScanner
from paper import CUT, Receipt
from till import Bank, Till
from waiting import wait_for

SCENARIOS = {}
RULES = "/etc/udev/rules.d/70-paytill.rules"
UNREAD = "The scan could not be read."
AUTO = '[scanner]\nkind = "auto"\n'
# More than the line and its two ends can buffer: about 15 KB.
LONG_RECEIPT = f"[receipt]\nheader = {['=' * 96] * 20}\nfooter = {['-' * 96] * 20}\ncopies = 3\n"


def scenario(function=None, *, in_ci=False):
    """Marks a function as a scenario, named after it; its docstring says what must be true.

    CI plays one of each kind, in three minutes."""
    if function is None:
        return lambda function: scenario(function, in_ci=in_ci)
    function.in_ci = in_ci
    SCENARIOS[function.__name__.replace("_", "-")] = function
    return function


class Lab:
    """A guest with a bank, and a person in front of it."""

    def __init__(self, guest, figures):
        self.guest = guest
        self.figures = figures
        self.keyboard = Keyboard(guest)
        self.keyboard.plug()
        self.bank = Bank(guest)
        self.devices = []
        self.till = None
        self.processes = []
        self.numbers = itertools.count(1)

    def serial_scanner(self, name="scanner", serial="SCAN0001"):
        return self.plugged(SerialAdapter(self.guest, name, serial))

    def serial_printer(self):
        return self.plugged(SerialAdapter(self.guest, "printer", "PRN0001"))

    def plugged(self, device, **place):
        device.plug(**place)
        self.devices.append(device)
        return device

    def install_rules(self, *vendors, but=None):
        """Installs the rules of `assets/`, as the README says, with additional makers if given,
        but without the lines that contain the word `but`."""
        known = "065a|24ea"
        self.guest.run(
            f"sed 's/{known}/{'|'.join([known, *vendors])}/{f';/{but}/d' if but else ''}' /etc/70-paytill.rules >{RULES} && "
            "udevadm control --reload && udevadm trigger && udevadm settle"
        )

    def remove_rules(self):
        self.guest.run(f"rm -f {RULES} && udevadm control --reload")

    def hold(self, device):
        """Another program keeps a device open, so that it comes back under another name."""
        node = device.node()
        holder = self.in_background(f"exec sleep 100000 <>{node}")
        wait_for(f"{node} held", lambda: self.guest.says(f"test $(readlink /proc/{holder}/fd/0) = {node}"))

    def in_background(self, script):
        """Runs a script in the guest until the scenario ends; returns its process."""
        process = self.guest.run(f"sh -c '{script}' >/dev/null 2>&1 & echo $!").strip()
        self.processes.append(process)
        return process

    def open_till(self, config, *words):
        """Opens a till with a new journal; waits for these words and the request for an amount."""
        self.till = Till(self.guest, self.keyboard, f"till-{next(self.numbers)}", config)
        self.till.open()
        self.till.see("Enter the amount.", *words)
        return self.till

    def clear(self):
        """Clears the counter for the next scenario."""
        if self.till is not None:
            self.till.kill()
        self.till = None
        for process in self.processes:
            self.guest.shell.run(f"kill -9 {process}")
        self.processes.clear()
        for device in self.devices:
            device.remove()
        self.devices.clear()
        self.remove_rules()
        self.guest.run("chvt 1")
        for line in self.guest.lines.values():
            line.forget()

    def evidence(self):
        """Whatever may explain why a scenario failed."""
        parts = [self.guest.shell.run(
            "ps -o pid,user,args | grep -v ']$'; ls -l /dev/serial/by-id /dev/tty[UA]* /dev/hidraw* /dev/input; dmesg | tail"
        )[1]]
        if self.till is not None:
            log = self.guest.shell.run(f"tail -n 30 {self.till.folder}/*.log.*; cat {self.till.folder}/paytill.toml")[1]
            parts += [log, self.till.screen()]
        return "\n".join(parts)

    def time(self, what, act, *words):
        """Seconds from an action until the till shows it, without those in which other programs had
        the machine's processors."""
        began, kept_waiting = time.monotonic(), self.guest.kept_waiting()
        act()
        self.till.see(*words)
        took = time.monotonic() - began - (self.guest.kept_waiting() - kept_waiting)
        self.figures.setdefault(what, []).append(took)
        return took


def hid_pos_scanner(lab, name="pos", socket=0):
    return HidPosScanner(lab.guest, name, "0c2e:0b87", "POS0001", "Lab Imager", socket)


def keyboard_scanner(lab, name="wedge", ids="0c2e:0204", product="Lab Wedge", serial="KBD0001", socket=0):
    return KeyboardScanner(lab.guest, name, ids, serial, product, socket)


def serial_scanner_config(scanner):
    return f'[scanner]\nkind = "serial"\nport = "{scanner.path}"\n'


def serial_printer_config(printer):
    return f'[printer]\nkind = "escpos-serial"\nport = "{printer.path}"\n'


def sell(lab, scanner, amount, parts=None):
    """One sale, up to its result on the screen."""
    lab.till.charge(amount)
    pay(lab, scanner, lab.bank.code(), parts)


def pay(lab, scanner, code, parts=None):
    """Scans the code of a customer who pays at once."""
    scanner.scan(code, *([parts] if parts else []))
    lab.till.see("PAID", "Payment received")


def assert_each_once(lab, *orders):
    """The bank received these orders, each once."""
    sent = lab.bank.submissions()
    assert all(sent.count(order) == 1 for order in orders), (orders, sent)


def barcodes_of(printer):
    """What is on the receipts so far; nothing in the middle of one."""
    return Receipt(data).barcodes if (data := printer.printed()).endswith(CUT) else []


def receipt_of(printer, count=1):
    """What a printer printed, once this many receipts were cut off."""
    # One look: the next receipt may begin right behind it.
    whole = lambda: (data := printer.printed()).count(CUT) >= count and data.endswith(CUT) and data
    return Receipt(wait_for(f"{count} receipts", whole))


def assert_paid(till, receipt, amount):
    """The journal has one sale more, paid, and the receipt shows it completely."""
    order = till.orders()[0]
    assert (order["state"], order["amount"]) == ("paid", round(float(amount) * 100)), order
    assert receipt.barcodes[-1] == order["order_no"], vars(receipt)
    assert receipt.qr_codes[-1] == order["transaction_id"], vars(receipt)
    # An English receipt may come from a printer for export, which has no sign for it.
    assert f"CNY {amount}" in receipt.lines, vars(receipt)
