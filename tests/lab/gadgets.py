"""USB devices that the guest makes inside itself, with any vendor and product ID: its USB stack and
drivers see real devices (devices 4)."""

import base64

from waiting import wait_for

FOLDER = "/sys/kernel/config/usb_gadget"
# One after another: the kernel's name for the far end is unknown until it is created.
MANUFACTURER = "Lab"

# A keyboard's report descriptor (scans 2.4).
KEYBOARD = bytes.fromhex(
    "05010906a101 75019508 050719e029e7 15002501 8102 95017508 8101 95057501 050819012905 9102 95017503 9101"
    "95067508 150025ff 0507190029ff 8100 c0"
)
# A HID POS scanner's, as on Honeywell devices (scans 2.3).
HID_POS = bytes.fromhex(
    "058c0902a101 0912a1028502 150026ff00 75089501 0501093b8102"
    "9503 058c09fb09fc09fd8102 9538 09fe820201 0666ff9502090409008102"
    "058c2501 75019508 09ff8102c0"
    "0914a1028504 15002501 75019508 0900095f0960090009000985 09869186c0"
    "0666ff 750826ff00 0903a10285fe 95010903b28201c0"
    "0901a10285fd 950109219102 953e0922928201c0"
    "c0"
)


class Gadget:
    """A USB device in one of the guest's own four sockets."""

    def __init__(self, guest, name, ids, serial, product, socket):
        self.guest = guest
        self.name = name
        self.socket = socket
        self.folder = f"{FOLDER}/{name}"
        self.kind = f"{self.folder}/functions/{self.function}.{name}"
        vendor, product_id = ids.split(":")
        strings = f"{self.folder}/strings/0x409"
        guest.run(
            f"mkdir -p {strings} {self.folder}/configs/c.1 {self.kind} && cd {self.folder} && "
            f"echo 0x{vendor} >idVendor && echo 0x{product_id} >idProduct && echo 0x0100 >bcdDevice && "
            f"echo '{serial}' >{strings}/serialnumber && echo {MANUFACTURER} >{strings}/manufacturer && "
            f"echo '{product}' >{strings}/product"
        )
        self.prepare()
        guest.run(f"ln -s {self.kind} {self.folder}/configs/c.1/")

    def prepare(self):
        """Whatever this kind of device needs before it is linked."""

    def plug(self, socket=None):
        """Plugs it in, into another socket if one is given."""
        if socket is not None:
            self.socket = socket
        self.guest.run(f"echo dummy_udc.{self.socket} >{self.folder}/UDC")

    def unplug(self):
        self.guest.run(f"echo >{self.folder}/UDC")

    def remove(self):
        """Unplugs it for good."""
        self.guest.shell.run(
            f"echo >{self.folder}/UDC; cd {self.folder} && rm configs/c.1/*.{self.name} && rmdir configs/c.1 "
            f"functions/* strings/0x409 && cd .. && rmdir {self.name}"
        )


class SerialGadget(Gadget):
    """A device that is a serial port by itself (CDC-ACM)."""

    function = "acm"

    def __init__(self, guest, name, ids, serial, product, socket):
        super().__init__(guest, name, ids, serial, product, socket)
        self.path = f"/dev/serial/by-id/usb-{MANUFACTURER}_{product.replace(' ', '_')}_{serial}-if00"
        self.far = f"/dev/ttyGS{guest.run(f'cat {self.kind}/port_num').strip()}"

    def plug(self, socket=None):
        super().plug(socket)
        wait_for(self.path, lambda: self.guest.says(f"test -e {self.path}"))

    def node(self):
        return self.guest.run(f"readlink -f {self.path}").strip()


class SerialScanner(SerialGadget):
    """A scanner with a serial port of its own."""

    def plug(self, socket=None):
        super().plug(socket)
        self.guest.run(f"stty -F {self.far} raw -echo")

    def scan(self, code):
        self.send(f"{code}\\r")

    def scan_half(self, code):
        self.send(code[:9])

    def scan_rest(self, code):
        self.scan(code[9:])

    def send(self, text):
        self.guest.run(f"printf '{text}' >{self.far}")


class SerialPrinter(SerialGadget):
    """A printer with a serial port of its own. It accepts nothing until it is asked to."""

    reader = None

    def plug(self, socket=None):
        super().plug(socket)
        # Opened once: what arrives while nobody has it open is lost.
        script = f"exec <{self.far}; stty raw -echo; echo on >/tmp/{self.name}.state; exec cat"
        self.guest.run(f"rm -f /tmp/{self.name}.state; touch /tmp/{self.name}.paper")
        self.reader = self.guest.run(f"sh -c '{script}' >>/tmp/{self.name}.paper 2>/dev/null & echo $!").strip()
        wait_for("a printer that listens", lambda: self.guest.text(f"/tmp/{self.name}.state"))
        self.stop_reading()

    def read_on(self):
        self.guest.run(f"kill -CONT {self.reader}")

    def stop_reading(self):
        self.guest.run(f"kill -STOP {self.reader}")

    def unplug(self):
        super().unplug()
        self.guest.shell.run(f"kill -9 {self.reader}")

    def remove(self):
        self.unplug()
        super().remove()
        self.guest.run(f"rm -f /tmp/{self.name}.paper")

    def printed(self):
        return base64.b64decode(self.guest.run(f"base64 /tmp/{self.name}.paper"))


class HidGadget(Gadget):
    """A device of the HID class."""

    function = "hid"

    def prepare(self):
        descriptor = "".join(f"\\x{byte:02x}" for byte in self.descriptor)
        self.guest.run(
            f"cd {self.kind} && echo {self.protocol} >protocol && echo {self.protocol} >subclass && "
            f"echo {self.length} >report_length && printf '{descriptor}' >report_desc"
        )

    def plug(self, socket=None):
        super().plug(socket)
        wait_for(f"{self.name}'s node", lambda: self.hid() and self.guest.says(f"test -e {self.node()}"))

    def send(self, *reports):
        """Sends reports, each once the one before has been taken."""
        number = self.guest.run(f"cut -d: -f2 {self.kind}/dev").strip()
        writes = "; ".join("printf '" + "".join(f"\\x{byte:02x}" for byte in report) + "'" for report in reports)
        self.guest.run(f"{{ {writes}; }} >/dev/hidg{number}")

    def hid(self):
        """Its folder in /sys as a HID device; none while it is unplugged."""
        ids = self.guest.run(f"cat {self.folder}/idVendor {self.folder}/idProduct").split()
        name = ":".join(word.removeprefix("0x").upper() for word in ids)
        return self.guest.shell.run(f"cd /sys/bus/hid/devices && ls -d *:{name}.* 2>/dev/null | tail -1")[1].strip()

    def node(self):
        """The kernel's name for the node that the till reads."""
        return "/dev/" + self.guest.run(f"cd /sys/bus/hid/devices/{self.hid()} && {self.nodes}").strip()


class KeyboardScanner(HidGadget):
    """A scanner that is a keyboard: it types what it reads."""

    descriptor, length, protocol = KEYBOARD, 8, 1
    nodes = "ls input/input*/event* -d | sed 's|.*/|input/|'"

    def scan(self, code):
        self.type(code + "\n")

    def type(self, text):
        self.send(*keystrokes(text))

    def scan_half(self, code):
        self.type(code[:9])

    def scan_rest(self, code):
        self.scan(code[9:])


class HidPosScanner(HidGadget):
    """A scanner of the HID class made for tills."""

    descriptor, length, protocol = HID_POS, 64, 0
    nodes = "ls hidraw"

    def scan(self, code, parts=1):
        self.send(*scanned(code, parts))

    def scan_half(self, code):
        self.send(scanned(code, 2)[0])

    def scan_rest(self, code):
        self.send(scanned(code, 2)[1])


def keystrokes(text):
    """Each key pressed and released."""
    usages = {"\n": 0x28, "0": 0x27} | {digit: 0x1E + place for place, digit in enumerate("123456789")}
    return [report for letter in text for report in (bytes([0, 0, usages[letter]]) + bytes(5), bytes(8))]


def scanned(code, parts):
    """A scan in this many reports, as split by a scanner that does not have all of it at once."""
    size = -(-len(code) // parts)
    pieces = [code[start : start + size].encode() for start in range(0, len(code), size)]
    assert len(pieces) == parts
    return [
        bytes([2, len(piece)]) + b"]C0" + piece.ljust(56, b"\0") + b"j\0" + bytes([piece is not pieces[-1]])
        for piece in pieces
    ]
