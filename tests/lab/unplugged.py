"""Devices that are unplugged and plugged in again, under another name."""

from devices import Paper
from gadgets import KeyboardScanner, SerialPrinter, SerialScanner
from lab import (
    AUTO,
    LONG_RECEIPT,
    UNREAD,
    assert_each_once,
    barcodes_of,
    hid_pos_scanner,
    keyboard_scanner,
    pay,
    receipt_of,
    scenario,
    sell,
    serial_printer_config,
    serial_scanner_config,
)
from paper import CUT, Receipt
from waiting import wait_for

# The till reports it at once. An emulated machine is a second late now and then.
NOTICED_SECONDS = 1 + 1


@scenario
def serial_adapter_unplugged(lab):
    """A scanner behind an adapter is unplugged while idle, within a scan and during a payment."""
    scanner = lab.serial_scanner()
    pulled_out(lab, scanner, serial_scanner_config(scanner))


@scenario
def serial_gadget_unplugged(lab):
    """A serial (CDC-ACM) scanner is unplugged while idle, within a scan and during a payment."""
    scanner = lab.plugged(SerialScanner(lab.guest, "acm", "1eab:0106", "ACM0001", "Lab Scanner", socket=0))
    pulled_out(lab, scanner, serial_scanner_config(scanner))


@scenario
def hid_pos_unplugged(lab):
    """A HID POS scanner is unplugged while idle, within a scan and during a payment."""
    lab.install_rules()
    pulled_out(lab, lab.plugged(hid_pos_scanner(lab)), AUTO)


@scenario
def hid_keyboard_unplugged(lab):
    """A scanner that is a keyboard is unplugged while idle, within a scan and during a payment."""
    lab.install_rules()
    pulled_out(lab, lab.plugged(keyboard_scanner(lab)), AUTO)


def pulled_out(lab, scanner, config):
    printer = lab.serial_printer()
    till = lab.open_till(config + serial_printer_config(printer), "Scanner ready", "Printer ready")
    # Idle.
    comes_back_elsewhere(lab, scanner, "Scanner")
    # In the middle of a scan: what follows is not joined to it.
    code = lab.bank.code()
    till.charge("1.11")
    scanner.scan_half(code)
    comes_back(lab, scanner, "Scanner")
    scanner.scan_rest(code)
    till.see(UNREAD)
    assert till.orders() == []
    pay(lab, scanner, code)
    # While the customer enters a password.
    till.charge("2.22")
    scanner.scan(lab.bank.code("0108"))
    till.see("WAITING FOR CUSTOMER")
    comes_back(lab, scanner, "Scanner")
    till.see("PAID", "Payment received")
    receipts = receipt_of(printer, 2)
    orders = [order["order_no"] for order in reversed(till.orders())]
    assert receipts.barcodes == orders and len(orders) == 2, (receipts.barcodes, orders)
    assert_each_once(lab, *orders)
    till.close()


def comes_back_elsewhere(lab, device, name):
    """Unplugged, and plugged in while its old name is taken."""
    before = device.node()
    if isinstance(device, KeyboardScanner):
        # A keyboard's name is free at once: another keyboard takes it.
        goes(lab, device, name)
        lab.plugged(keyboard_scanner(lab, "stranger", "046d:c31c", "Keyboard", socket=3))
    else:
        # For all others, a program that has the device open keeps the name.
        lab.hold(device)
        goes(lab, device, name)
    returns(lab, device, name)
    assert device.node() != before, before


def comes_back(lab, device, name):
    goes(lab, device, name)
    returns(lab, device, name)


def returns(lab, device, name):
    lab.time(f"{name.lower()} plugged in, until the till has it", device.plug, f"{name} ready")


def goes(lab, device, name):
    seconds = lab.time(f"{name.lower()} pulled out, until the till says so", device.unplug, f"{name} searching")
    assert seconds < NOTICED_SECONDS, f"it took {seconds:.2f} s"


@scenario
def serial_printer_unplugged(lab):
    """A printer behind an adapter is unplugged while idle; receipts wait and come out once."""
    scanner, printer = lab.serial_scanner(), lab.serial_printer()
    config = serial_scanner_config(scanner) + serial_printer_config(printer)
    till = lab.open_till(config, "Scanner ready", "Printer ready")
    comes_back_elsewhere(lab, printer, "Printer")
    goes(lab, printer, "Printer")
    sell(lab, scanner, "1.11")
    sell(lab, scanner, "2.22")
    assert CUT not in printer.printed()
    printer.plug()
    receipts = receipt_of(printer, 2)
    till.see("Printer ready")
    orders = [order["order_no"] for order in reversed(till.orders())]
    assert receipts.barcodes == orders, (receipts.barcodes, orders)
    till.close()
    assert receipt_of(printer, 2).barcodes == orders


@scenario(in_ci=True)
def printer_unplugged_while_printing(lab):
    """A printer unplugged within a receipt is reported; that can be reprinted, the next prints once."""
    scanner = lab.serial_scanner()
    printer = lab.plugged(SerialPrinter(lab.guest, "paper", "0416:5011", "PRN0002", "Lab Printer", socket=0))
    config = serial_scanner_config(scanner) + serial_printer_config(printer) + LONG_RECEIPT
    till = lab.open_till(config, "Scanner ready", "Printer ready")
    sell(lab, scanner, "1.11")
    till.see("Printer fault")
    sell(lab, scanner, "2.22")
    lab.hold(printer)
    goes(lab, printer, "Printer")
    till.see("the printer was unplugged")
    printer.plug(socket=1)
    printer.read_on()
    second, first = (order["order_no"] for order in till.orders())
    barcodes = lambda: barcodes_of(printer)
    # Before them comes what the line still held of the first sale's copies, cut off.
    wait_for("the second sale's receipts", lambda: barcodes()[-3:] == [second] * 3)
    held = barcodes()[:-3]
    assert set(held) <= {first} and len(held) <= 3, (held, first, second)
    till.see("Printer ready")
    lab.keyboard.press("f9")
    wait_for("the first sale's receipt", lambda: barcodes() == [*held, second, second, second, first])
    till.close()


@scenario
def serial_printer_unplugged_while_printing(lab):
    """The same behind an adapter, whose printer gets nothing after it was unplugged."""
    scanner, printer = lab.serial_scanner(), lab.serial_printer()
    config = serial_scanner_config(scanner) + serial_printer_config(printer) + LONG_RECEIPT
    till = lab.open_till(config, "Scanner ready", "Printer ready")
    till.charge("1.11")
    scanner.scan(lab.bank.code())
    wait_for("the receipt's beginning", lambda: b"=" in printer.printed(), pause=0)
    goes(lab, printer, "Printer")
    before = printer.printed().count(CUT)
    assert before < 3, "it was printed before the printer was pulled out"
    till.see("PAID", "Payment received", "the printer was unplugged")
    sell(lab, scanner, "2.22")
    returns(lab, printer, "Printer")
    wait_for("the second sale's receipts", lambda: printer.printed().count(CUT) == before + 1 + 3)
    second, first = (order["order_no"] for order in till.orders())
    barcodes = Receipt(printer.printed()).barcodes
    # The copy during which it was unplugged may already have had its barcode.
    assert barcodes[-3:] == [second] * 3 and barcodes[:-3] in [[first] * before, [first] * (before + 1)], barcodes
    till.close()


@scenario
def printer_unplugged_before_it_confirms(lab):
    """A printer is unplugged before it confirms a receipt: that one is not reported as printed."""
    scanner, printer = lab.serial_scanner(), lab.serial_printer()
    paper = Paper(printer.line)
    config = serial_scanner_config(scanner) + serial_printer_config(printer)
    till = lab.open_till(config, "Scanner ready", "Printer ready")
    sell(lab, scanner, "1.11")
    till.see("The receipt was printed.")
    paper.confirms = False
    sell(lab, scanner, "2.22")
    # A question about it follows.
    wait_for("the second receipt", lambda: printer.printed().count(CUT) == 2)
    sell(lab, scanner, "3.33")
    goes(lab, printer, "Printer")
    till.see("the printer was unplugged")
    paper.confirms = True
    returns(lab, printer, "Printer")
    till.see("The receipt was printed.")
    orders = [order["order_no"] for order in reversed(till.orders())]
    wait_for("three receipts", lambda: barcodes_of(printer) == orders)
    till.close()
