"""What can be plugged into the guest."""

import re

from waiting import wait_for


class SerialAdapter:
    """A USB serial adapter (FTDI), made by QEMU; the device behind it is on this side."""

    driver = "usb-serial"

    def __init__(self, guest, name, serial):
        self.guest = guest
        self.name = name
        self.line = guest.lines[name]
        self.properties = {"chardev": name, "serial": serial, "always-plugged": True}
        # A udev name that stays, whatever name the kernel chooses.
        self.path = f"/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_{serial}-if00-port0"

    def plug(self):
        self.guest.plug(self)
        wait_for(self.path, lambda: self.guest.says(f"test -e {self.path}"))

    def unplug(self):
        self.guest.unplug(self)

    def remove(self):
        """Unplugs it if it is still plugged in."""
        self.guest.monitor.tries("device_del", {"id": self.name})

    def printed(self):
        """What has come out of the guest so far."""
        with self.line.lock:
            return bytes(self.line.taken)

    def node(self):
        """The kernel's current name for it."""
        return self.guest.run(f"readlink -f {self.path}").strip()

    def send(self, text):
        self.line.send(text.encode())

    def scan(self, code):
        self.send(code + "\r")

    def scan_half(self, code):
        self.send(code[:9])

    def scan_rest(self, code):
        self.scan(code[9:])


class Paper:
    """A printer's answers (devices 2.5): all is well, and each receipt is on paper."""

    def __init__(self, line):
        self.confirms = True
        self.rest = b""
        line.answer = self.hear

    def hear(self, data):
        """Answers the questions in the bytes received; a question may arrive in two pieces."""
        data = self.rest + data
        said, end = b"", 0
        for question in re.finditer(rb"\x10\x04.|\x1dr.|\x1dIC|\x1da.", data, re.DOTALL):
            end = question.end()
            kind = question.group()[:2]
            if kind == b"\x10\x04":
                said += b"\x12"
            elif kind == b"\x1dI":
                said += b"_Lab\0"
            elif kind == b"\x1da":
                said += b"\x10\0\0\0"
            elif self.confirms:
                said += b"\0"
        self.rest = data[end:][-2:]
        return said


class Keyboard:
    """The cashier's keyboard."""

    driver = "usb-kbd"
    name = "keyboard"
    properties = {}

    def __init__(self, guest):
        self.guest = guest

    def plug(self):
        self.guest.plug(self)
        wait_for("a keyboard", lambda: self.guest.says("grep -q 'QEMU USB Keyboard' /proc/bus/input/devices"))

    def unplug(self):
        self.guest.unplug(self)

    def type(self, text):
        """Types digits and points, and Enter for a line end."""
        self.press(*({".": "dot", "\n": "ret"}.get(letter, letter) for letter in text))

    def press(self, *keys):
        self.guest.press(*keys)
