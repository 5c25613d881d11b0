# SPDX-License-Identifier: BSD-2-Clause
"""A peer whose ESP and AH are the Linux kernel's own: strongSwan in a virtual machine.

The machine boots Debian's kernel 6.1 with strongSwan's daemon in an initramfs. Its one network
card is a tap in the node's namespace, bridged to the node's link; its addresses are the link's.
Behind it, on a dummy device, is the network that it protects. Commands go over its second serial
line, one at a time.
"""
import base64
import ipaddress
import pathlib
import shutil
import socket
import subprocess
import time

import machine
from lab.node import CommandFailed, stop
from lab.strongswan import CHARON, SWANCTL, Strongswan
from lab.wait import wait_until

PLUGINS = ("random nonce aesni openssl gcm sha1 sha2 md5 hmac kdf curve25519 drbg pem pkcs1 pkcs8 pubkey x509 "
           "constraints kernel-netlink socket-default vici")
CONF = "/etc/strongswan.conf"
MODULES = ("virtio_pci virtio_net dummy xfrm_user esp4 esp6 ah4 ah6 ansi_cprng gcm ctr cbc authenc "
           "authencesn echainiv seqiv hmac sha1_generic sha256_generic sha512_generic md5 des_generic chacha20poly1305 "
           "chacha_generic poly1305_generic crypto_null ghash_generic aes_generic aesni_intel").split()
BOOT_LIMIT_S = 120
READY = "PEER-READY"

# The agent: a line is a script in base64, the answer its output in base64 and its exit status.
INIT = f"""#!/bin/busybox sh
bb=/bin/busybox
export PATH=/sbin:/bin:/usr/sbin:/usr/bin
for tool in ls cat sleep base64 tr mkdir rm kill ps; do $bb ln -sf $bb /bin/$tool; done
$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t tmpfs tmp /tmp
$bb mount -t devtmpfs dev /dev 2>/dev/null
for module in /modules/*.ko; do $bb insmod $module || echo "insmod $module failed"; done
ip link set lo up
$bb stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo {READY} >&3
while read -r line <&3; do
	echo "$line" | base64 -d >/tmp/script
	/bin/sh /tmp/script >/tmp/said 2>&1 </dev/null
	status=$?
	echo "$(base64 /tmp/said | tr -d '\\n') $status" >&3
done
$bb poweroff -f
"""


def image():
    """Kernel and initramfs, made once per run of the tests."""
    machine.WORK.mkdir(parents=True, exist_ok=True)
    kernel = machine.unpacked(machine.kernel_package())
    archive = machine.base(machine.unpacked("busybox-static"))
    for number, path in enumerate(machine.modules(kernel, *MODULES)):
        archive.file(f"modules/{number:02}-{path.name}", path.read_bytes())
    archive.program(CHARON, CHARON)
    archive.program(SWANCTL, SWANCTL)
    for library in pathlib.Path("/usr/lib/ipsec/plugins").iterdir():
        if library.name.removeprefix("libstrongswan-").removesuffix(".so") in PLUGINS.split():
            archive.program(str(library), library)
    modules = pathlib.Path(subprocess.run(["openssl", "version", "-m"], check=True, capture_output=True,
                                          text=True).stdout.split('"')[1])
    archive.program(str(modules / "legacy.so"), modules / "legacy.so")
    archive.file("etc/ssl/openssl.cnf", b"")
    for library in pathlib.Path("/lib/x86_64-linux-gnu").glob("libgcc_s.so.1"):
        archive.program(str(library), library)  # opened when a thread ends
    archive.file("init", INIT.encode())
    return kernel, archive.write("kernel-peer.gz")


class KernelPeer(Strongswan):
    """Speaks as Strongswan does; its programs run in the machine."""

    sets_own_addresses = True  # the machine has them

    def __init__(self, lab, name, inner):
        """inner: addresses with their networks, of the host behind it."""
        super().__init__(lab, name)
        self._inner = inner
        self._line = None
        self._received = b""
        self._console = self.dir / "console"
        conf = self._conf.read_text().replace("  install_virtual_ip", "  # one thread is enough for one tunnel\n"
                                              "  threads = 8\n  install_virtual_ip")
        start, end = conf.index("load = "), conf.index("\n", conf.index("load = "))
        conf = conf[:start] + f"load = {PLUGINS}" + conf[end:]
        self._conf_text = conf.replace(str(self.dir), "/run")

    def connection(self, name, *args, ah=None, **options):
        """ah: proposals of AH; then there is no ESP."""
        booted, self._charon = self._charon, None
        super().connection(name, *args, **options)
        self._charon = booted
        if ah:
            self._connections[name] = self._connections[name].replace(
                f"esp_proposals = {options['esp']}", f"ah_proposals = {ah}")
        if booted:
            self._load()
        return self

    def up(self):
        """Boots the machine and starts charon in it; once."""
        if self._charon is None:
            self._boot(*image())
            self._configure()
        if self._connections:
            self._load()
        return self

    def _boot(self, kernel, initramfs):
        port = self.interfaces[0].name
        self.run("ip", "link", "add", "br0", "type", "bridge")
        self.run("ip", "tuntap", "add", "dev", "tap0", "mode", "tap")
        for name in (port, "tap0"):
            self.run("ip", "link", "set", name, "master", "br0")
        for name in ("tap0", "br0"):
            self.run("ip", "link", "set", name, "up")
        serial = self.dir / "serial"
        off = ",".join(f"{what}=off" for what in ("csum", "gso", "guest_csum", "guest_tso4", "guest_tso6", "guest_ufo",
                                                  "host_tso4", "host_tso6", "host_ufo", "mrg_rxbuf"))
        with open(self._console, "wb") as console:
            self._charon = self.start(*machine.qemu(
                kernel, initramfs, "-serial", f"unix:{serial},server=on,wait=off",
                "-netdev", "tap,id=net0,ifname=tap0,script=no,downscript=no",
                "-device", f"virtio-net-pci,netdev=net0,romfile=,{off}", memory_mb=512),
                stdout=console, stderr=subprocess.STDOUT)
        wait_until("the machine's serial line is there", serial.exists, 10, seen=self.log)
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._line.connect(str(serial))
        wait_until("the machine has booted", lambda: self._read_line(1) == READY, BOOT_LIMIT_S, seen=self.log)

    def _configure(self):
        script = ["set -e", "mkdir -p /run/swanctl /etc", f"base64 -d >{CONF} <<'END'",
                  base64.b64encode(self._conf_text.encode()).decode(), "END",
                  "sysctl() { echo $2 >/proc/sys/$1; }",
                  "sysctl net/ipv4/ip_forward 1", "sysctl net/ipv6/conf/all/accept_dad 0",
                  "sysctl net/ipv6/conf/default/accept_dad 0",
                  "ip link set dummy0 up", "ip link set eth0 up"]
        for place, addresses in (("eth0", self.interfaces[0].addresses), ("dummy0", self._inner)):
            for address in addresses:
                nodad = "nodad" if ipaddress.ip_interface(address).version == 6 else ""
                script.append(f"ip address add {address} dev {place} {nodad}")
        for address in self.interfaces[0].other.addresses:
            script.append(f"ip route add default via {address.ip} src {self._source(address.version)}")
        script.append(f"STRONGSWAN_CONF={CONF} {CHARON} >/run/charon.out 2>&1 &")
        self.inside("\n".join(script))
        wait_until(f"{self.name}: charon answers", lambda: self.swanctl("--stats", check=False).returncode == 0, 60,
                   seen=lambda: (self.swanctl("--stats", check=False), self.log()))

    def _source(self, version):
        return next(str(ipaddress.ip_interface(a).ip) for a in self._inner
                    if ipaddress.ip_interface(a).version == version)

    # ---- the serial line -------------------------------------------------------------------------

    def _read_line(self, timeout_s):
        end = time.monotonic() + timeout_s
        while b"\n" not in self._received:
            left = end - time.monotonic()
            if left <= 0:
                return None
            self._line.settimeout(left)
            try:
                more = self._line.recv(65536)
            except socket.timeout:
                return None
            if not more:
                raise CommandFailed(f"{self.name}: the machine ended\n{self.log()}")
            self._received += more
        line, _, self._received = self._received.partition(b"\n")
        return line.decode(errors="replace").strip()

    def inside(self, script, check=True, timeout_s=60):
        """Runs a shell script in the machine, as run() does in the namespace."""
        self._line.settimeout(timeout_s)
        self._line.sendall(base64.b64encode(script.encode()) + b"\n")
        answer = self._read_line(timeout_s)
        if answer is None:
            raise CommandFailed(f"{self.name}: no answer in {timeout_s} s: {script}\n{self.log()}")
        said, _, status = answer.rpartition(" ")
        text = base64.b64decode(said).decode(errors="replace")
        if check and int(status):
            raise CommandFailed(f"{self.name}: {script}: exit status {status}\n{text}")
        return subprocess.CompletedProcess(script, int(status), text, "")

    def swanctl(self, command, *words, check=True, timeout_s=60):
        line = " ".join([f"STRONGSWAN_CONF={CONF} SWANCTL_DIR=/run/swanctl {SWANCTL}", command, *map(str, words),
                         "--uri unix:///run/vici"])
        return self.inside(line, check=check, timeout_s=timeout_s)

    def _load(self):
        text = base64.b64encode("".join(self._connections.values()).encode()).decode()
        self.inside(f"base64 -d >/run/swanctl/swanctl.conf <<'END'\n{text}\nEND")
        self.swanctl("--load-all", "--noprompt", "--file", "/run/swanctl/swanctl.conf")

    def counters(self):
        """The kernel's own account of its SAs: what `ip -s xfrm state` says."""
        return self.inside("ip -s xfrm state").stdout

    def errors(self):
        """{name: count} of the kernel's IPsec error counters that are not zero."""
        lines = self.inside("cat /proc/net/xfrm_stat").stdout.split("\n")
        return {name: int(count) for name, count in (line.split() for line in lines if line) if int(count)}

    def down(self):
        if self._charon:
            self._line.close()
            stop(self._charon)
            self._charon = None

    def log(self, lines=30):
        text = self._console.read_text(errors="replace").splitlines() if self._console.exists() else []
        if self._line and self._charon and self._charon.poll() is None:
            try:
                text += self.inside("cat /run/charon.out /run/charon.log", check=False).stdout.splitlines()[-lines:]
            except (CommandFailed, OSError) as error:
                text.append(str(error))
        return f"--- log of {self.name}\n" + "\n".join(text[-2 * lines:])


def available():
    return shutil.which("qemu-system-x86_64") is not None
