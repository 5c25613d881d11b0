# SPDX-License-Identifier: BSD-2-Clause
"""A strongSwan peer: charon-systemd with its user-space ESP (kernel-libipsec) in a namespace.

Its ESP is always UDP-encapsulated. It needs an address of its own inside each local selector, and
it puts its routes to the TUN device ipsec0 into table 220. Each instance has its own configuration,
VICI socket and log in the node's folder.
"""
import os
import re
import signal
import subprocess
from pathlib import Path

from .node import CommandFailed, Node, stop
from .wait import wait_until

CHARON = "/usr/sbin/charon-systemd"
SWANCTL = "/usr/sbin/swanctl"
# Started through the loader: Debian's AppArmor profiles for these two programs, attached by path,
# would refuse configuration and sockets outside of /etc and /run/strongswan.
LOADER = "/lib64/ld-linux-x86-64.so.2"

PLUGINS = ("random nonce aesni openssl gcm sha2 hmac kdf curve25519 drbg pem pkcs1 pkcs8 pubkey x509 "
           "constraints kernel-libipsec kernel-netlink socket-default vici updown")

STRONGSWAN_CONF = """\
charon-systemd {{
  load = {plugins}
  # IKE only on these; they are the namespace's own.
  port = 500
  port_nat_t = 4500
  install_virtual_ip = no
  retransmit_timeout = {retransmit_timeout}
  retransmit_tries = {retransmit_tries}
  retransmit_base = 1.5
  half_open_timeout = 20
  {extra}
  plugins {{
    vici {{ socket = unix://{dir}/vici }}
    kernel-libipsec {{ allow_peer_ts = yes }}
  }}
  journal {{ default = -1 }}
  filelog {{
    log {{
      path = {dir}/charon.log
      append = yes
      flush_line = yes
      default = {log}
      ike = {more_log}
      cfg = {more_log}
    }}
  }}
}}
swanctl {{ load = pem pkcs1 pkcs8 x509 pubkey random openssl }}
"""

CONNECTION = """\
connections {{
  {name} {{
    version = 2
    local_addrs = {local}
    remote_addrs = {remote}
    proposals = {ike}
    encap = {encap}
    mobike = {mobike}
    {more}
    fragmentation = {fragmentation}
    dpd_delay = {dpd}
    keyingtries = 0
    local {{
      auth = psk
      id = {local_id}
    }}
    remote {{
      auth = psk
      id = {remote_id}
    }}
    children {{
      {name} {{
        local_ts = {local_ts}
        remote_ts = {remote_ts}
        esp_proposals = {esp}
        start_action = none
        dpd_action = clear
        close_action = none
      }}
    }}
  }}
}}
secrets {{
  ike-{name} {{
    id-l = {local_id}
    id-r = {remote_id}
    secret = "{secret}"
  }}
  {secrets}
}}
"""


class Strongswan(Node):
    def __init__(self, lab, name, retransmit_timeout=1.0, retransmit_tries=5, extra="",
                 plugins=PLUGINS, quiet=False):
        """quiet: say errors only, as for a measurement."""
        super().__init__(lab, name)
        self.forwarding()
        self._charon = None
        self._connections = {}
        self._conf = self.dir / "strongswan.conf"
        self._conf.write_text(STRONGSWAN_CONF.format(
            dir=self.dir, plugins=plugins, extra=extra, retransmit_timeout=retransmit_timeout,
            retransmit_tries=retransmit_tries, log=-1 if quiet else 1, more_log=-1 if quiet else 2))

    # ---- life ----------------------------------------------------------------------------------

    def up(self):
        """Starts charon and waits until it answers."""
        if self._charon and self._charon.poll() is None:
            return self
        output = open(self.dir / "charon.out", "ab")
        with output:
            self._charon = self.start(LOADER, CHARON, stdout=output, stderr=subprocess.STDOUT,
                                      env=self._environment())
        wait_until(f"{self.name}: charon answers", self._answers, seen=self.log)
        if self._connections:
            self._load()
        return self

    def charon_pid(self):
        return self._charon.pid

    def down(self):
        """Ends charon as an administrator would: it deletes its SAs at its peers."""
        if self._charon:
            stop(self._charon)
            self._charon = None

    def kill(self):
        """SIGKILL: the peer is gone without a word."""
        if self._charon and self._charon.poll() is None:
            self._charon.send_signal(signal.SIGKILL)
            self._charon.wait(5)
        (self.dir / "vici").unlink(missing_ok=True)

    def _answers(self):
        if self._charon.poll() is not None:
            raise CommandFailed(f"charon ended with status {self._charon.returncode}")
        return self.swanctl("--stats").returncode == 0

    def _environment(self):
        return dict(os.environ, STRONGSWAN_CONF=str(self._conf))

    def swanctl(self, command, *words, check=True, timeout_s=60):
        return self.run("env", f"STRONGSWAN_CONF={self._conf}", f"SWANCTL_DIR={self.dir}/swanctl",
                        LOADER, SWANCTL, command, *words, "--uri", f"unix://{self.dir}/vici",
                        check=check, timeout_s=timeout_s)

    # ---- connections -----------------------------------------------------------------------------

    def connection(self, name, local, remote, secret, local_ts, remote_ts, **options):
        """Describes a connection with one child, both called name; loads it when charon runs.

        Options: ike and esp (proposals), local_id, remote_id, encap (True forces UDP), dpd (s),
        fragmentation (of IKE messages: yes, no, accept, force), mobike (yes, no), more (lines of
        the connection), secrets (more of them).
        """
        values = dict(ike="aes128gcm16-prfsha256-x25519", esp="aes128gcm16", local_id=local,
                      remote_id=remote, encap=False, dpd="0s", fragmentation="yes", mobike="no", more="",
                      secrets="")
        values.update(options, name=name, local=local, remote=remote, secret=secret)
        values["encap"] = "yes" if values["encap"] else "no"
        values["local_ts"] = _comma(local_ts)
        values["remote_ts"] = _comma(remote_ts)
        self._connections[name] = CONNECTION.format(**values)
        if self._charon:
            self._load()
        return self

    def _load(self):
        folder = self.dir / "swanctl"
        folder.mkdir(exist_ok=True)
        (folder / "swanctl.conf").write_text("".join(self._connections.values()))
        self.swanctl("--load-all", "--noprompt", "--file", folder / "swanctl.conf")

    def initiate(self, name, check=True, timeout_s=20):
        """Brings the child up; returns whether it came up, and what charon said."""
        done = self.swanctl("--initiate", "--child", name, "--timeout", int(timeout_s), check=False,
                            timeout_s=timeout_s + 10)
        if check and done.returncode:
            raise CommandFailed(f"{self.name}: initiate {name}:\n{done.stdout}{done.stderr}"
                                f"{self.log(40)}")
        return done.returncode == 0, done.stdout + done.stderr

    def terminate(self, name, check=True):
        self.swanctl("--terminate", "--ike", name, check=check)

    def rekey(self, name):
        self.swanctl("--rekey", "--child", name)

    def rekey_ike(self, name):
        self.swanctl("--rekey", "--ike", name)

    # ---- questions -------------------------------------------------------------------------------

    def sas(self):
        """The IKE SAs with their children, as a list of dicts with the keys of VICI."""
        sas = []
        for event in vici_events(self.swanctl("--list-sas", "--raw").stdout, "list-sa"):
            for name, sa in event.items():
                children = list(sa.get("child-sas", {}).values())
                sas.append(dict(sa, name=name, children=children))
        return sas

    def child(self, name):
        """The installed child SA of this name, or None."""
        for sa in self.sas():
            for child in sa["children"]:
                if child.get("name") == name and child.get("state") == "INSTALLED":
                    return child
        return None

    def established(self, name):
        return self.child(name) is not None

    def log(self, lines=30):
        text = ""
        for name in ("charon.out", "charon.log"):
            path = Path(self.dir / name)
            if path.exists():
                text += "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) + "\n"
        return f"--- log of {self.name}\n{text}"


def _comma(value):
    return value if isinstance(value, str) else ",".join(map(str, value))


# swanctl --raw prints a section as `name {key=value key=[item item] name {...}}`. Values have no
# quotes: one ends where ` key=`, ` name {`, or `}` follows.
_WORD = re.compile(r"\s*([^\s={}\[\]]+)\s*(=\[|=|\{)|\s*(\})")
_VALUE_END = re.compile(r"(?= [^\s={}\[\]]+ ?(?:=|\{))|(?=\})|$")


def vici_events(text, kind):
    """The sections that `swanctl --raw` printed for events of this kind."""
    events = []
    for line in text.splitlines():
        if line.startswith(f"{kind} event "):
            events.append(_section(line[len(f"{kind} event "):].strip(), 1)[0])
    return events


def _section(text, at):
    section = {}
    while at < len(text):
        word = _WORD.match(text, at)
        if word is None or word.group(3):
            return section, (word.end() if word else len(text))
        key, what, at = word.group(1), word.group(2), word.end()
        if what == "{":
            section[key], at = _section(text, at)
        elif what == "=[":
            end = text.index("]", at)
            section[key], at = text[at:end].split(), end + 1
        else:
            end = _VALUE_END.search(text, at).start()
            section[key], at = text[at:end], end
    return section, at
