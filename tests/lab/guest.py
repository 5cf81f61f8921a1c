"""The virtual machine: started, used through a shell, its devices unplugged from outside, ended.

KVM hangs on some hosts that have it, so the processor is always emulated. That makes times upper
bounds, and a loaded machine makes them worse: waits are generous, and end once the thing is there.
"""

import json
import pathlib
import socket
import subprocess
import threading
import time

from waiting import DEADLINE, wait_for

# Serial lines that lead outside, by the device that may be plugged into the guest.
LINES = ["scanner", "twin", "printer", "display"]
BOOT_SECONDS = 180


class Guest:
    """A virtual machine that runs for the duration of the block it is opened for."""

    def __init__(self, folder, kernel, files):
        self.folder = pathlib.Path(folder)
        self.lines = {}
        self.key_free_at = 0
        self.console = self.folder / "console.log"
        with (self.folder / "qemu.log").open("w") as log:
            self.process = subprocess.Popen(
                self.command(kernel, files), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self.monitor = Monitor(self.connect("monitor"))
            self.shell = Shell(self.connect("shell"))
            for name in LINES:
                self.lines[name] = Line(self.connect(name))
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def command(self, kernel, files):
        channel = lambda name: f"socket,id={name},path={self.folder / name},server=on,wait=off"
        command = [
            # Not even a killed lab leaves it running.
            "setpriv", "--pdeathsig", "KILL", "--",
            "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-M", "pc", "-cpu", "qemu64", "-m", "512",
            "-smp", "1", "-nodefaults", "-no-reboot", "-display", "none",
            "-kernel", kernel, "-initrd", files, "-append", "console=ttyS0 panic=-1 quiet",
            "-chardev", f"file,id=console,path={self.console}", "-serial", "chardev:console",
            "-chardev", channel("monitor"), "-mon", "chardev=monitor,mode=control",
            "-device", "virtio-serial-pci", "-chardev", channel("shell"),
            "-device", "virtserialport,chardev=shell,nr=1",
            "-device", "qemu-xhci,id=usb,p2=8,p3=8",
        ]
        for name in LINES:
            command += ["-chardev", channel(name)]
        return [str(word) for word in command]

    def connect(self, name):
        def connection():
            if self.process.poll() is not None:
                raise AssertionError("QEMU ended:\n" + (self.folder / "qemu.log").read_text())
            channel = socket.socket(socket.AF_UNIX)
            try:
                channel.connect(str(self.folder / name))
            except OSError:
                channel.close()
                return None
            return channel

        return wait_for(f"QEMU's {name}", connection)

    def boot(self):
        """Waits until the guest is up."""
        wait_for("the guest's start", lambda: self.shell.is_up(), BOOT_SECONDS)

    def run(self, script, seconds=DEADLINE):
        """Runs a script in the guest and returns its output. The script must succeed."""
        status, text = self.shell.run(script, seconds)
        assert status == 0, f"in the guest: {script}\nended with {status}:\n{text}"
        return text

    def says(self, script):
        """Whether a script succeeds in the guest."""
        return self.shell.run(script)[0] == 0

    def text(self, path):
        """A file's text, without surrounding blanks; none if there is no such file."""
        return self.shell.run(f"cat {path} 2>/dev/null")[1].strip()

    def plug(self, device):
        """Plugs in a QEMU device, by its name here."""
        # QEMU frees a removed device a moment later; until then its line is in use.
        arguments = {"driver": device.driver, "id": device.name, "bus": "usb.0"} | device.properties
        wait_for(f"{device.name} plugged in", lambda: self.monitor.tries("device_add", arguments))

    def unplug(self, device):
        """Unplugs a QEMU device. When this returns, it is unplugged."""
        self.monitor.call("device_del", {"id": device.name})
        self.monitor.wait_for_event("DEVICE_DELETED", device.name)

    def press(self, *keys):
        """Presses keys of the QEMU keyboard, by QEMU's names (`ret`, `ctrl-q`)."""
        for key in keys:
            chord = [{"type": "qcode", "data": part} for part in key.split("-")]
            # A key is not pressed while the one before is held.
            time.sleep(max(0, self.key_free_at - time.monotonic()))
            self.monitor.call("send-key", {"keys": chord, "hold-time": 30})
            self.key_free_at = time.monotonic() + 0.12

    def kept_waiting(self):
        """Seconds in which the emulated processor could have run but waited for this machine's."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return max(int(task.read_text().split()[1]) for task in tasks) / 1e9

    def is_alive(self):
        return self.process.poll() is None

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Shell:
    """A shell in the guest that runs one script at a time."""

    MARK = "\x01"

    def __init__(self, channel):
        self.channel = channel
        self.lock = threading.Lock()
        self.ahead = b""
        self.count = 0

    def is_up(self):
        try:
            return self.run("true", 2)[0] == 0
        except TimeoutError:
            return False

    def run(self, script, seconds=DEADLINE):
        """Exit status and output of a script."""
        with self.lock:
            self.count += 1
            mark = f"{self.MARK}{self.count} "
            script = f"{{ {script}\n}} </dev/null 2>&1; echo \"{mark}$?\"\n"
            self.channel.sendall(script.encode())
            return self.answer(mark.encode(), seconds)

    def answer(self, mark, seconds):
        end = time.monotonic() + seconds
        while True:
            # A question that timed out may be answered late.
            text, found, rest = self.ahead.partition(mark)
            if found and b"\n" in rest:
                status, _, self.ahead = rest.partition(b"\n")
                return int(status), text.rpartition(self.MARK.encode())[2].decode(errors="replace")
            self.channel.settimeout(max(0.001, end - time.monotonic()))
            more = self.channel.recv(65536)
            if not more:
                raise AssertionError("the guest ended")
            self.ahead += more


class Monitor:
    """QEMU's own control interface (QMP)."""

    def __init__(self, channel):
        channel.settimeout(DEADLINE)
        self.channel = channel
        self.file = channel.makefile("r")
        self.events = []
        self.read()
        self.call("qmp_capabilities")

    def call(self, command, arguments=None):
        answer = self.ask(command, arguments)
        assert "return" in answer, f"{command}: {answer}"
        return answer["return"]

    def tries(self, command, arguments):
        return "return" in self.ask(command, arguments)

    def wait_for_event(self, name, device):
        while not any(event["event"] == name and event["data"].get("device") == device for event in self.events):
            self.events.append(self.read())
        self.events.clear()

    def ask(self, command, arguments):
        request = {"execute": command} | ({"arguments": arguments} if arguments else {})
        self.channel.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self.read()
            if "event" not in answer:
                return answer
            self.events.append(answer)

    def read(self):
        line = self.file.readline()
        assert line, "QEMU ended"
        return json.loads(line)


class Line:
    """The far end of a serial line: what is on the counter."""

    def __init__(self, channel):
        self.channel = channel
        self.taken = bytearray()
        self.lock = threading.Lock()
        # Answers what it is sent, like a printer that reports its status.
        self.answer = lambda data: b""
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        """Always accepts what comes: QEMU stops while one of its lines does not flow."""
        while True:
            try:
                data = self.channel.recv(65536)
            except OSError:
                return
            if not data:
                return
            with self.lock:
                self.taken += data
            if reply := self.answer(data):
                self.channel.sendall(reply)

    def send(self, data):
        self.channel.sendall(data)

    def forget(self):
        """Clears the counter."""
        self.answer = lambda data: b""
        with self.lock:
            self.taken.clear()
