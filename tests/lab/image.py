"""What the guest starts from: Debian's kernel, and a file system with busybox, udev and the till.

Kernel and udev are unpacked, never installed, and kept in the cache; the file system is built anew
for each run, around the till that was just built.
"""

import contextlib
import fcntl
import lzma
import os
import pathlib
import shutil
import subprocess
import zlib

HERE = pathlib.Path(__file__).parent
PROJECT = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "paytill-lab"
# Programs that are called, and the packages that contain them.
PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "/bin/busybox": "busybox-static",
    "cpio": "cpio",
    "depmod": "kmod",
    "strip": "binutils",
}
# A cloud kernel would be smaller, but has no USB.
KERNEL = "linux-image-amd64"
MODULES = """virtio_pci virtio_console xhci_pci usbhid hid_generic evdev ftdi_sio cdc_acm
    dummy_hcd libcomposite usb_f_acm usb_f_hid""".split()
RULES = ["50-udev-default.rules", "60-input-id.rules", "60-serial.rules", "80-drivers.rules"]
GROUPS = """root:0 tty:5 disk:6 lp:7 kmem:15 dialout:20 cdrom:24 tape:26 audio:29 video:44 plugdev:46
    input:104 render:105 kvm:106 sgx:107 cashier:1000""".split()
# The cashier: an ordinary user in the group that Debian lets use serial ports.
MEMBERS = {"dialout": "cashier"}


class Unavailable(Exception):
    """Something the lab needs is not available on this machine."""


def prepare():
    """Makes sure that programs, kernel and udev are there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install_programs()
        unpack_kernel()
        unpack_udev()


def build(folder, till):
    """Builds the guest's file system around this binary; returns kernel and file system."""
    root = folder / "root"
    for name in "bin sbin proc sys dev run tmp etc/udev/rules.d lib/systemd lib/udev/rules.d lib64".split():
        (root / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    for applet in output("/bin/busybox", "--list").split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")
    # Where the kernel itself looks for it.
    (root / "sbin/modprobe").symlink_to("../bin/busybox")
    shutil.copy(HERE / "init", root / "init")
    run("strip", "-o", root / "bin/paytill", till)
    copy_udev(root)
    copy_libraries(root, root / "bin/paytill", root / "bin/udevadm")
    copy_modules(root)
    members = (f"{group.replace(':', ':x:')}:{MEMBERS.get(group.split(':')[0], '')}\n" for group in GROUPS)
    (root / "etc/group").write_text("".join(members))
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\ncashier:x:1000:1000::/tmp:/bin/sh\n")
    # Not compressed: an emulated processor unpacks more slowly than it reads.
    archive = folder / "initrd.cpio"
    with archive.open("wb") as file:
        names = subprocess.run(["find", "."], cwd=root, stdout=subprocess.PIPE, check=True).stdout
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names, stdout=file, check=True)
    shutil.rmtree(root)
    return CACHE / "vmlinux", archive


def install_programs():
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if not missing:
        return
    if os.geteuid() != 0:
        raise Unavailable(f"it needs {', '.join(missing)}, which only root can install")
    try:
        apt("update", "-q")
        apt("install", "-y", "-q", "--no-install-recommends", *missing)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(f"{', '.join(missing)} cannot be installed") from error


def unpack_kernel():
    if (CACHE / "vmlinux").exists():
        return
    kernel = CACHE / "kernel"
    shutil.rmtree(kernel, ignore_errors=True)
    unpack(kernel, lambda: next(
        word for word in output("apt-cache", "depends", KERNEL).split() if word.startswith("linux-image-")
        and word != KERNEL
    ))
    run("depmod", "-b", kernel, kernel_version())
    image = (kernel / "boot" / f"vmlinuz-{kernel_version()}").read_bytes()
    # Last, since its presence means that everything is there.
    part = CACHE / "vmlinux.part"
    part.write_bytes(uncompressed(image))
    part.rename(CACHE / "vmlinux")


def unpack_udev():
    udev = CACHE / "udev"
    if not udev.exists():
        part = CACHE / "udev.part"
        shutil.rmtree(part, ignore_errors=True)
        unpack(part, lambda: "udev")
        part.rename(udev)


def unpack(folder, package):
    """Downloads a package and unpacks it without installing it."""
    downloads = CACHE / "downloads"
    shutil.rmtree(downloads, ignore_errors=True)
    downloads.mkdir()
    try:
        try:
            name = package()
            apt("download", "-q", name, cwd=downloads)
        except (StopIteration, subprocess.CalledProcessError):
            # The lists may be missing, or older than what the mirror still has.
            apt("update", "-q")
            name = package()
            apt("download", "-q", name, cwd=downloads)
        run("dpkg", "-x", next(downloads.glob("*.deb")), folder)
    except (OSError, StopIteration, subprocess.CalledProcessError) as error:
        raise Unavailable("Debian's kernel and udev cannot be downloaded") from error
    finally:
        shutil.rmtree(downloads)


def uncompressed(image):
    """The kernel inside a bzImage, which QEMU starts as it is: an emulated processor would take
    longer to unpack it than to do everything else at start."""
    for magic, unpack in [
        (b"\xfd7zXZ\0", lambda data: lzma.LZMADecompressor().decompress(data)),
        (b"\x1f\x8b\x08", lambda data: zlib.decompressobj(31).decompress(data)),
    ]:
        place = image.find(magic)
        while place >= 0:
            with contextlib.suppress(lzma.LZMAError, zlib.error):
                kernel = unpack(image[place:])
                if kernel.startswith(b"\x7fELF"):
                    return kernel
            place = image.find(magic, place + 1)
    raise Unavailable("the kernel is packed in a way that is not known here")


def copy_udev(root):
    udev = CACHE / "udev"
    shutil.copy(udev / "bin/udevadm", root / "bin/udevadm")
    (root / "lib/systemd/systemd-udevd").symlink_to("../../bin/udevadm")
    for rule in RULES:
        shutil.copy(udev / "lib/udev/rules.d" / rule, root / "lib/udev/rules.d")
    # Not where udev looks: the scenarios that show its effect install it.
    shutil.copy(PROJECT / "assets/70-paytill.rules", root / "etc")


def copy_libraries(root, *programs):
    for program in programs:
        for line in output("ldd", program).splitlines():
            path = next((word for word in line.split() if word.startswith("/")), None)
            if "not found" in line:
                raise Unavailable(f"{program.name} needs a library that is not here: {line.strip()}")
            if path:
                (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, root / path[1:])


def copy_modules(root):
    """The modules that the guest's devices need, and the modules those need."""
    kernel, version = CACHE / "kernel", kernel_version()
    folder = pathlib.Path("lib/modules") / version
    for module in MODULES:
        shown = output("modprobe", "-d", kernel, "-S", version, "--show-depends", module)
        for line in shown.splitlines():
            if line.startswith("insmod"):
                path = pathlib.Path(line.split()[1]).relative_to(kernel)
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(kernel / path, root / path)
    for name in ["modules.builtin", "modules.order"]:
        shutil.copy(kernel / folder / name, root / folder)
    run("depmod", "-b", root, version)


def kernel_version():
    return next((CACHE / "kernel/lib/modules").iterdir()).name


def target_folder():
    """Where cargo puts its builds."""
    return os.environ.get("CARGO_TARGET_DIR") or PROJECT / "target"


def apt(*arguments, **options):
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "-o", "DPkg::Lock::Timeout=600", *arguments, env=environment, timeout=900, **options)


def run(*command, **options):
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options
    )


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
