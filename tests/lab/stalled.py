"""A printer that accepts nothing more."""

import statistics

from gadgets import SerialPrinter
from lab import LONG_RECEIPT, receipt_of, scenario, sell, serial_printer_config, serial_scanner_config

# How long a key takes through an emulated machine is not the till's doing; this much more is.
KEY_SECONDS = 0.1
EXIT_SECONDS = 2


@scenario
def printer_stops_reading(lab):
    """A printer that accepts nothing delays no key, sale or exit; later, all is printed once."""
    scanner = lab.serial_scanner()
    printer = lab.plugged(SerialPrinter(lab.guest, "paper", "0416:5011", "PRN0002", "Lab Printer", socket=0))
    config = serial_scanner_config(scanner) + serial_printer_config(printer) + LONG_RECEIPT
    till = lab.open_till(config, "Scanner ready", "Printer ready")
    usual = typical_key(lab, "a key, the printer idle")
    sell(lab, scanner, "1.11")
    till.see("Printer fault")
    now = typical_key(lab, "a key, the printer stalled")
    assert now < usual + KEY_SECONDS, f"keys took {now:.3f} s, before {usual:.3f} s"
    sell(lab, scanner, "2.22")
    # The printer continues.
    printer.read_on()
    receipts = receipt_of(printer, 2 * 3)
    orders = [order["order_no"] for order in reversed(till.orders())]
    assert receipts.barcodes == [orders[0]] * 3 + [orders[1]] * 3, (receipts.barcodes, orders)
    till.see("Printer ready")
    # And stops for good.
    printer.stop_reading()
    sell(lab, scanner, "3.33")
    till.see("Printer fault")
    seconds = lab.time("the exit, the printer stalled", till.close)
    assert seconds < EXIT_SECONDS, f"the exit took {seconds:.1f} s"


def typical_key(lab, what):
    """The median time from a key to its effect on the screen, over several attempts."""
    keyboard, till = lab.till.keyboard, lab.till
    keyboard.press("esc")
    till.see("Enter the amount.")
    seconds = []
    for _ in range(5):
        # The help page opens and closes by keys alone.
        seconds.append(lab.time(what, lambda: keyboard.press("f1"), "Esc"))
        keyboard.press("esc")
        till.see("Enter the amount.")
    return statistics.median(seconds)
