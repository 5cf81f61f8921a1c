"""Scanners that are keyboards, beside the cashier's own: what they type goes to the till and
nowhere else, and what the cashier types is never taken away."""

from lab import (
    AUTO, UNREAD, assert_each_once, hid_pos_scanner, keyboard_scanner, pay, receipt_of, scenario,
    serial_printer_config,
)
from waiting import wait_for

KEYS = "/tmp/console.keys"


@scenario(in_ci=True)
def no_key_leaks(lab):
    """What a keyboard scanner types reaches the console in front only if no till is running."""
    lab.install_rules()
    scanner = lab.plugged(keyboard_scanner(lab))
    till = lab.open_till(AUTO, "Scanner ready")
    till.charge("12.34")
    # The person has switched to another console, where a shell would run what is typed.
    lab.guest.run(f"rm -f {KEYS}")
    lab.in_background(f"exec <>/dev/tty2; stty raw -echo; chvt 2; exec cat >{KEYS}")
    typed = lambda: lab.guest.text(KEYS).replace("\r", " ")
    wait_for("another console", lambda: lab.guest.says(f"test -e {KEYS}"))
    lab.keyboard.type("1\n")
    wait_for("what the person types", lambda: typed() == "1")
    code = lab.bank.code()
    pay(lab, scanner, code)
    lab.keyboard.type("2\n")
    wait_for("what the person types", lambda: typed().endswith("2"))
    assert typed() == "1 2", typed()
    lab.guest.run("chvt 1")
    till.close()
    lab.guest.run("chvt 2")
    scanner.scan(code)
    wait_for("a scan on the console", lambda: typed() == f"1 2 {code}")


@scenario(in_ci=True)
def keyboard_scan_while_busy(lab):
    """A till that is stopped while a code is scanned reads it afterwards; if the kernel has dropped
    keys, it says so, sends nothing, and reads the next code."""
    lab.install_rules()
    till = lab.open_till(AUTO)
    scanner = lab.plugged(keyboard_scanner(lab))
    till.see("Scanner ready")
    till.charge("12.34")
    with till.standing_still():
        scanner.scan(lab.bank.code())
    till.see("PAID", "Payment received")
    # In the middle of a code, and longer than any pause within one.
    till.charge("1.00")
    code = lab.bank.code()
    scanner.scan_half(code)
    with till.standing_still():
        lab.guest.run("sleep 2")
        scanner.scan_rest(code)
    till.see("PAID", "Payment received")
    # The last key that the kernel buffers is the first of every code, and only its press.
    till.charge("2.00")
    with till.standing_still():
        scanner.scan("31" * 20)
    till.see(UNREAD)
    # People are not as quick as this script, and what follows a loss too soon belongs to it.
    lab.guest.run("sleep 1")
    pay(lab, scanner, lab.bank.code())
    orders = till.orders()
    assert [order["amount"] for order in orders] == [200, 100, 1234], orders
    assert_each_once(lab, *[order["order_no"] for order in orders])
    till.close()


@scenario
def keyboard_without_reports(lab):
    """If this user may read a scanner's key events but not its reports, the events are enough."""
    lab.install_rules(but='hidraw", ENV')
    till = lab.open_till(AUTO + 'suffix = "cr"\n')
    scanner = lab.plugged(keyboard_scanner(lab))
    till.see("Scanner ready")
    till.charge("12.34")
    # One by one: an emulated machine is too slow for the few events that are buffered.
    for key in lab.bank.code() + "\n":
        scanner.type(key)
    till.see("PAID", "Payment received")
    till.close()


@scenario(in_ci=True)
def keyboard_beside_a_scanner(lab):
    """A keyboard that is plugged in beside a keyboard scanner stays the cashier's."""
    lab.install_rules()
    till = lab.open_till(AUTO)
    scanner = lab.plugged(keyboard_scanner(lab))
    till.see("Scanner ready")
    second = lab.plugged(keyboard_scanner(lab, "second", "046d:c31c", "Keyboard", socket=1))
    for keyboard in (second, lab.keyboard):
        keyboard.type("15\n")
        till.see("Scan the customer's payment code.")
        pay(lab, scanner, lab.bank.code())
    assert [order["amount"] for order in till.orders()] == [1500, 1500]
    till.close()


@scenario(in_ci=True)
def identical_scanners(lab):
    """Two indistinguishable scanners both work, and each continues when the other is unplugged."""
    lab.install_rules()
    printer = lab.serial_printer()
    till = lab.open_till(AUTO + serial_printer_config(printer))
    left = lab.plugged(hid_pos_scanner(lab, "left", socket=0))
    right = lab.plugged(hid_pos_scanner(lab, "right", socket=1))
    till.see("Scanner ready")
    for pulled, scanner in [(None, left), (None, right), (left, right)]:
        if pulled:
            pulled.unplug()
        till.charge("1.00")
        pay(lab, scanner, lab.bank.code())
    right.unplug()
    till.see("Scanner searching")
    left.plug(socket=2)
    till.see("Scanner ready")
    till.charge("1.00")
    pay(lab, left, lab.bank.code())
    receipts = receipt_of(printer, 4)
    assert receipts.barcodes == [order["order_no"] for order in reversed(till.orders())]
    till.close()
