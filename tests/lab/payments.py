"""A payment with each kind of scanner, from the amount to the receipt."""

from gadgets import SerialScanner
from lab import assert_paid, pay, receipt_of, scenario, serial_printer_config, serial_scanner_config


@scenario(in_ci=True)
def serial_adapter(lab):
    """A scanner behind an FTDI adapter takes a payment, and a serial printer prints it."""
    sells(lab, lab.serial_scanner(), serial_scanner_config)


@scenario(in_ci=True)
def serial_gadget(lab):
    """A scanner that is a serial port by itself (CDC-ACM) takes a payment, and it is printed."""
    scanner = lab.plugged(SerialScanner(lab.guest, "acm", "1eab:0106", "ACM0001", "Lab Scanner", socket=0))
    sells(lab, scanner, serial_scanner_config)


def sells(lab, scanner, config):
    printer = lab.serial_printer()
    till = lab.open_till(config(scanner) + serial_printer_config(printer), "Scanner ready", "Printer ready")
    till.charge("12.34")
    pay(lab, scanner, lab.bank.code())
    assert_paid(till, receipt_of(printer), "12.34")
    till.close()
