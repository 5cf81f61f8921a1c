"""Scanners that are found when they are plugged in, of every kind."""

from lab import AUTO, assert_paid, hid_pos_scanner, keyboard_scanner, receipt_of, scenario, serial_printer_config


@scenario
def hid_pos(lab):
    """A HID POS scanner is found and takes a payment, its code in one report and in three."""
    lab.install_rules()
    printer = lab.serial_printer()
    till = lab.open_till(AUTO + serial_printer_config(printer), "Scanner keyboard", "Printer ready")
    scanner = lab.plugged(hid_pos_scanner(lab))
    till.see("Scanner ready")
    for count, parts in enumerate([1, 3], start=1):
        till.charge("12.34")
        scanner.scan(lab.bank.code(), parts)
        till.see("PAID", "The money was taken.")
        assert_paid(till, receipt_of(printer, count), "12.34")
        lab.keyboard.press("ret")
    scanner.unplug()
    till.see("Scanner searching")
    scanner.plug(socket=2)
    till.see("Scanner ready")
    till.close()


@scenario
def hid_keyboard(lab):
    """A scanner that is a keyboard takes a payment, and none of its keys reaches the console."""
    lab.install_rules()
    printer = lab.serial_printer()
    till = lab.open_till(AUTO + serial_printer_config(printer), "Scanner keyboard", "Printer ready")
    scanner = lab.plugged(keyboard_scanner(lab))
    till.see("Scanner ready")
    # A key that leaked would be typed into the amount.
    scanner.scan("6901234567892")
    till.see("Type the amount.")
    till.charge("12.34")
    scanner.scan(lab.bank.code())
    till.see("PAID", "The money was taken.")
    assert_paid(till, receipt_of(printer), "12.34")
    till.close()


@scenario
def without_permission(lab):
    """A scanner that this user may not open is named, with the rules to install; then it works."""
    till = lab.open_till(AUTO, "Scanner keyboard")
    scanner = lab.plugged(hid_pos_scanner(lab))
    till.see("Scanner fault")
    lab.guest.run("su cashier -c 'paytill --lang en devices' | grep -q 70-paytill.rules")
    lab.install_rules()
    till.see("Scanner ready")
    till.charge("1.00")
    scanner.scan(lab.bank.code())
    till.see("PAID", "The money was taken.")
    till.close()
