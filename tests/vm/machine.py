# SPDX-License-Identifier: BSD-2-Clause
"""Virtual machines with Debian's own kernel 6.1, without KVM.

Kernel and busybox are fetched as Debian packages and unpacked below build/vm (nothing is
installed); an initramfs is packed from them and from programs of this machine.
"""
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
WORK = TOP / "build" / "vm"


def say(text):
    print(f"==> {text}", flush=True)


def die(text):
    sys.exit(f"tests/vm: {text}")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def kernel_package():
    """The package that linux-image-amd64 stands for."""
    found = re.search(r"Depends: (linux-image-6\.1\.\S+)", output("apt-cache", "depends", "linux-image-amd64"))
    if not found:
        die("linux-image-amd64 is not on offer: apt-get update, and try again")
    return found.group(1)


def unpacked(package):
    """The package's files, downloaded and unpacked once per version."""
    version = re.search(r"Candidate: (\S+)", output("apt-cache", "policy", package))
    if not version or version.group(1) == "(none)":
        die(f"{package} is not on offer: apt-get update, and try again")
    place = WORK / f"{package}_{version.group(1).replace(':', '%3a')}"
    if not place.is_dir():
        say(f"fetching {package} {version.group(1)}")
        fetch = WORK / "fetch"
        shutil.rmtree(fetch, ignore_errors=True)
        fetch.mkdir(parents=True)
        subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package], cwd=fetch,
                       check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["dpkg-deb", "-x", *fetch.glob("*.deb"), fetch / "files"], check=True)
        (fetch / "files").rename(place)
        shutil.rmtree(fetch)
    return place


def libraries(program):
    """Shared libraries of a program, and its loader."""
    return sorted(set(re.findall(r"(/\S+) \(0x", output("ldd", program))))


class Archive:
    """A cpio archive in the format that the kernel unpacks (newc)."""

    def __init__(self):
        self.bytes = bytearray()
        self.names = set()

    def add(self, name, mode, data=b""):
        if name in self.names:
            return
        self.names.add(name)
        raw = name.encode() + b"\0"
        fields = [len(self.names), mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0]
        self.bytes += b"070701" + b"".join(b"%08x" % f for f in fields) + raw
        self.bytes += b"\0" * (-len(self.bytes) % 4) + data
        self.bytes += b"\0" * (-len(self.bytes) % 4)

    def directory(self, name):
        parent = os.path.dirname(name)
        if parent:
            self.directory(parent)
        self.add(name, 0o040755)

    def file(self, name, data):
        name = name.lstrip("/")
        if os.path.dirname(name):
            self.directory(os.path.dirname(name))
        self.add(name, 0o100755, data)

    def program(self, name, path):
        self.file(name, pathlib.Path(path).read_bytes())
        for library in libraries(path):
            self.file(library, pathlib.Path(library).read_bytes())

    def whole(self):
        self.add("TRAILER!!!", 0)
        return bytes(self.bytes)

    def folder(self, path, suffix=""):
        """A folder's files whose names end so, with the libraries that they need."""
        for file in sorted(pathlib.Path(path).rglob(f"*{suffix}")):
            if file.is_file():
                self.program(str(file), file)

    def write(self, name):
        """Compressed, below build/vm; returns where."""
        place = WORK / name
        place.write_bytes(gzip.compress(self.whole(), 1))
        return place


def base(busybox):
    """An archive with what every machine needs: folders, a console, busybox."""
    archive = Archive()
    for name in ("proc", "sys", "tmp", "dev", "bin", "sbin", "run", "etc", "lib64"):
        archive.directory(name)
    archive.add("dev/console", 0o020600)  # the kernel mounts devtmpfs over it
    shell = next(p for p in (busybox / "bin/busybox", busybox / "usr/bin/busybox") if p.exists())
    archive.file("bin/busybox", shell.read_bytes())
    archive.program("bin/sh", "/bin/sh")  # busybox's would run its own ip
    archive.program("sbin/ip", shutil.which("ip") or "/usr/sbin/ip")
    return archive


def modules(kernel, *wanted):
    """Files of these modules and of what they depend on, in the order of insmod; a name that the
    kernel has built in is left out."""
    folder = next(kernel.glob("lib/modules/*"), None) or next(kernel.glob("usr/lib/modules/*"))
    by_name = {path.name.removesuffix(".ko").replace("-", "_"): path for path in folder.rglob("*.ko")}
    order = []

    def take(name):
        path = by_name.get(name.replace("-", "_"))
        if path is None or path in order:
            return
        depends = re.search(rb"\0depends=([^\0]*)\0", b"\0" + path.read_bytes())
        for other in (depends.group(1).decode().split(",") if depends else []):
            take(other)
        order.append(path)

    for name in wanted:
        take(name)
    return order


def qemu(kernel, image, *more, memory_mb=1024):
    """The command that boots it, its console on standard output."""
    if not shutil.which("qemu-system-x86_64"):
        die("no qemu-system-x86_64: apt-get install --no-install-recommends qemu-system-x86")
    return ["qemu-system-x86_64", "-m", str(memory_mb), "-smp", "1", "-cpu", "max", "-accel", "tcg",
            "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot",
            "-kernel", str(next(kernel.glob("boot/vmlinuz-*"))), "-initrd", str(image),
            "-append", "console=ttyS0 quiet panic=-1 loglevel=4 mitigations=off", *more]
