"""What can be plugged into the guest."""

from waiting import wait_for


class SerialAdapter:
    """A USB serial adapter (FTDI), made by QEMU: what hangs on it is on this side."""

    driver = "usb-serial"

    def __init__(self, guest, name, serial):
        self.guest = guest
        self.name = name
        self.line = guest.lines[name]
        self.properties = {"chardev": name, "serial": serial, "always-plugged": True}
        # A name of udev's that stays, whatever the kernel's is.
        self.path = f"/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_{serial}-if00-port0"

    def plug(self):
        self.guest.plug(self)
        wait_for(self.path, lambda: self.guest.says(f"test -e {self.path}"))

    def unplug(self):
        self.guest.unplug(self)

    def remove(self):
        """Pulls it out if it is still in."""
        self.guest.monitor.tries("device_del", {"id": self.name})

    def printed(self):
        """What came out of the guest so far."""
        with self.line.lock:
            return bytes(self.line.taken)

    def node(self):
        """The kernel's name for it now."""
        return self.guest.run(f"readlink -f {self.path}").strip()

    def send(self, text):
        self.line.send(text.encode())

    def scan(self, code):
        self.send(code + "\r")

    def scan_half(self, code):
        self.send(code[:9])

    def scan_rest(self, code):
        self.scan(code[9:])


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
        """Types digits and points, and Enter for a line's end."""
        self.press(*({".": "dot", "\n": "ret"}.get(letter, letter) for letter in text))

    def press(self, *keys):
        self.guest.press(*keys)
