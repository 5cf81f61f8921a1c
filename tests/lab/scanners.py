"""Scanners of every kind that are found when they are plugged in."""

from lab import AUTO, assert_paid, hid_pos_scanner, keyboard_scanner, pay, receipt_of, scenario, serial_printer_config
from till import Till
from waiting import wait_for

# Nobody's: not known to be a scanner, nor to be anything else.
STRANGE = "1209:2303"


@scenario(in_ci=True)
def hid_pos(lab):
    """A HID POS scanner is found and takes a payment, with its code in one report and in three."""
    lab.install_rules()
    printer = lab.serial_printer()
    till = lab.open_till(AUTO + serial_printer_config(printer), "Scanner keyboard", "Printer ready")
    scanner = lab.plugged(hid_pos_scanner(lab))
    till.see("Scanner ready")
    for count, parts in enumerate([1, 3], start=1):
        till.charge("12.34")
        pay(lab, scanner, lab.bank.code(f"000{parts}"), parts)
        assert_paid(till, receipt_of(printer, count), "12.34")
        lab.keyboard.press("ret")
    till.close()


@scenario(in_ci=True)
def hid_keyboard(lab):
    """A scanner that is a keyboard is found and takes a payment."""
    lab.install_rules()
    printer = lab.serial_printer()
    till = lab.open_till(AUTO + serial_printer_config(printer), "Scanner keyboard", "Printer ready")
    scanner = lab.plugged(keyboard_scanner(lab))
    till.see("Scanner ready")
    till.charge("12.34")
    pay(lab, scanner, lab.bank.code())
    assert_paid(till, receipt_of(printer), "12.34")
    till.close()


@scenario
def two_scanners(lab):
    """Two scanners of one make, without serial numbers, work side by side; a keyboard stays one."""
    lab.install_rules()
    scanners = [lab.plugged(keyboard_scanner(lab, f"wedge{n}", serial="", socket=n)) for n in range(2)]
    till = lab.open_till(AUTO, "Scanner ready")
    for number, scanner in enumerate(scanners):
        # Typed on the cashier's keyboard.
        till.charge("1.00")
        pay(lab, scanner, lab.bank.code(f"000{number}"))
        lab.keyboard.press("ret")
    scanners[0].unplug()
    till.charge("1.00")
    pay(lab, scanners[1], lab.bank.code("0002"))
    assert till.shows("Scanner ready")
    till.close()


@scenario(in_ci=True)
def without_permission(lab):
    """A scanner this user may not open is reported, with the rules to install; then it works."""
    till = lab.open_till(AUTO, "Scanner keyboard")
    scanner = lab.plugged(hid_pos_scanner(lab))
    till.see("Scanner fault")
    listed = lab.guest.run("su cashier -c 'paytill --lang en devices'")
    assert "scanner: HID POS" in listed and "70-paytill.rules" in listed, listed
    lab.install_rules()
    till.see("Scanner ready")
    till.charge("1.00")
    pay(lab, scanner, lab.bank.code())
    till.close()


@scenario(in_ci=True)
def learned(lab):
    """A scanner that nobody knows is learned from one scan, and then found in another socket."""
    lab.install_rules(STRANGE[:4])
    scanner = lab.plugged(keyboard_scanner(lab, ids=STRANGE))
    till = lab.open_till(AUTO, "Scanner keyboard")
    refused = lab.guest.shell.run(f"cd {till.folder}; su cashier -c 'paytill devices --learn --config paytill.toml'")
    assert refused[0] == 4, refused
    till.close()
    lab.guest.run(f"cd {till.folder}; (su cashier -c 'paytill devices --learn --json --config paytill.toml' >/tmp/learned 2>&1 &)")
    wait_for("the question", lambda: "scan the barcode" in lab.guest.text("/tmp/learned"))
    wait_for("the answer", lambda: scan_until_learned(lab, scanner))
    scanner.unplug()
    till.open()
    till.see("Enter the amount.", "Scanner searching")
    scanner.plug(socket=3)
    till.see("Scanner ready")
    till.charge("1.00")
    pay(lab, scanner, lab.bank.code())


def scan_until_learned(lab, scanner):
    """What is not grabbed is known as a scanner by its speed. Where the whole machine stood still
    meanwhile, a person scans again."""
    scanner.scan("6901234567892")
    try:
        return wait_for("the answer", lambda: '"why":"learned"' in lab.guest.text("/tmp/learned"), seconds=5)
    except AssertionError:
        return False


@scenario
def used_elsewhere(lab):
    """Scanners in use by another till are left to it and reported, and taken once it is gone."""
    lab.install_rules()
    for make in [hid_pos_scanner, keyboard_scanner]:
        scanner = lab.plugged(make(lab))
        other = Till(lab.guest, lab.keyboard, f"other-{scanner.name}", AUTO)
        start = f"cd {other.folder}; echo $$ >pid; exec env -i HOME={other.folder} TERM=linux /bin/paytill --config paytill.toml"
        lab.guest.run(f"(setsid -c su cashier -c '{start}' <>/dev/tty3 >&0 2>&1 &) >/dev/null 2>&1")
        process = wait_for("the other till's process", lambda: lab.guest.text(f"{other.folder}/pid"))
        lab.processes.append(process)
        wait_for("the other till", lambda: lab.guest.says(f"grep -q 'scanner opened' {other.folder}/*.log.*"))
        till = lab.open_till(AUTO, "Scanner fault")
        till.charge("1.00")
        till.see("The scanner cannot be used: another program is using it.")
        lab.guest.run(f"kill -9 {process}")
        till.see("Scanner ready")
        pay(lab, scanner, lab.bank.code())
        till.close()
        scanner.remove()
        lab.devices.remove(scanner)


@scenario
def named(lab):
    """A keyboard scanner configured by its IDs and serial number is taken, and its twin is not."""
    lab.install_rules(STRANGE[:4])
    scanner = lab.plugged(keyboard_scanner(lab, ids=STRANGE, serial="K1"))
    twin = lab.plugged(keyboard_scanner(lab, "twin", ids=STRANGE, serial="K2", socket=1))
    till = lab.open_till(f'[scanner]\nkind = "hid-keyboard"\ndevice = "{STRANGE}:K1"\n', "Scanner ready")
    twin.type("7")
    till.charge("1")
    pay(lab, scanner, lab.bank.code())
    assert till.orders()[0]["amount"] == 7100, till.orders()
    scanner.unplug()
    till.see("Scanner searching")
    till.close()
