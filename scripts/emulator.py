"""A simulated receipt printer by another project (emupos), and what it printed, for these scripts.

It needs Python 3.13; without that or its packages a script says so and ends with exit code 0.
PRINTER_VENV names a folder to keep the packages in.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PACKAGES = ["emupos>=0.4,<0.5", "zxing-cpp", "pillow", "pyte"]
PYTHON = (3, 13)
DEADLINE_SECONDS = 60
PROFILE_58 = """type: printer
name: 58 mm
dpi: 203
width_dots: 384
font_a: { width: 12, height: 24 }
font_b: { width: 9, height: 17 }
code_pages: { 0: PC437 }
default_code_page: 0
drawer_sensor_open_level: high
serial: { baud: 9600, data_bits: 8, parity: none, stop_bits: 1 }
"""


def run_with_packages(main):
    """Runs a script's main with a Python that has the packages."""
    if os.environ.get("PRINTER_INSIDE"):
        return main()
    with tempfile.TemporaryDirectory(prefix="printer-") as folder:
        kept = os.environ.get("PRINTER_VENV")
        venv = pathlib.Path(kept) if kept else pathlib.Path(folder)
        python = venv / "bin" / "python"
        if not (venv / "bin" / "emupos").exists():
            maker = find_python()
            if maker is None:
                return skip("no Python of at least {}.{}".format(*PYTHON))
            for command in ([maker, "-m", "venv", venv], [python, "-m", "pip", "install", "-q", *PACKAGES]):
                if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
                    return skip(f"the packages {', '.join(PACKAGES)} cannot be had")
        environment = os.environ | {"PRINTER_INSIDE": "1"}
        return subprocess.run([python, *sys.argv], env=environment).returncode


def find_python():
    if sys.version_info >= PYTHON:
        return sys.executable
    names = (f"python3.{minor}" for minor in range(PYTHON[1], PYTHON[1] + 5))
    # A name may exist but not work, such as the shims of version managers.
    works = lambda path: subprocess.run([path, "--version"], capture_output=True).returncode == 0
    return next((path for path in map(shutil.which, names) if path and works(path)), None)


def skip(reason):
    print(f"printers not checked: {reason}")
    return 0


class Emulator:
    """A printer for paper of this width, connected for the duration of the `with`."""

    def __init__(self, folder, paper):
        self.folder, self.receipts, self.log = folder, folder / "receipts", folder / "log"
        self.api = f"http://127.0.0.1:{free_port()}"
        profile = "epson-tm-t20iii"
        if paper == "58":
            (folder / "narrow.yaml").write_text(PROFILE_58)
            profile = "./narrow.yaml"
        (folder / "emupos.yaml").write_text(
            f"""schema: 1
api: {{ host: 127.0.0.1, port: {self.api.rpartition(":")[2]} }}
devices:
  - id: front
    type: printer
    profile: {profile}
    connections: [ {{ serial: {{ pty: true }} }} ]
    receipts_dir: ./receipts
"""
        )
        self.port = folder / "emupos" / "front"

    def __enter__(self):
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [tool("emupos"), "run"],
                cwd=self.folder,
                env=os.environ | {"TMPDIR": str(self.folder)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        assert wait(self.port.exists), self.log.read_text()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def fault(self, action, name):
        """Sets or clears paper-out, paper-near-end, cover-open or offline."""
        command = [tool("emupos"), "--api", self.api, "fault", action, "front", name]
        subprocess.run(command, check=True, capture_output=True)

    def ended(self):
        """How many receipts were printed."""
        return len(list(self.receipts.rglob("*.json")))

    def unknown(self):
        """The commands it received and does not know."""
        return [line for line in self.log.read_text().splitlines() if "printer.command.unknown" in line]

    def text(self):
        """The printed text. The printer shows each byte of a Chinese character as one of its own."""
        text = "".join(path.read_text() for path in sorted(self.receipts.rglob("*.txt")))
        return "\n".join(line.encode("cp437").decode("gb18030") for line in text.splitlines())

    def codes(self):
        """The codes that a scanner reads from the paper."""
        import zxingcpp
        from PIL import Image

        pictures = [Image.open(path) for path in sorted(self.receipts.rglob("*.png"))]
        codes = [code for picture in pictures for code in zxingcpp.read_barcodes(picture)]
        return [f"[{code.format}] {code.text}" for code in codes]


def tool(name):
    return pathlib.Path(sys.executable).parent / name


def wait(found, seconds=DEADLINE_SECONDS):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    return None


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
