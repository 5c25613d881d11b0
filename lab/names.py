# SPDX-License-Identifier: BSD-2-Clause
"""The tag that stands in every name a lab makes, and the claim that says who owns it.

A tag is `hl<pid>-<random>`. Its owner holds a lock on STATE/<tag>/lock for as long as it lives, so
the kernel tells whether the owner is dead, also after SIGKILL and when its pid was given to another
process. sweep() removes what dead owners left: their namespaces, the processes in them, their files.
"""
import fcntl
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path


def _tmpfs():
    with open("/proc/mounts", encoding="ascii", errors="replace") as f:
        return {line.split()[1] for line in f if line.split()[2] == "tmpfs"}


# A gateway's run-time files want memory, not a disk.
STATE = Path(next(d for d in ("/run", "/dev/shm", "/tmp") if d in _tmpfs() or d == "/tmp"),
             "hawser-lab")
NETNS = Path("/run/netns")
TAG = re.compile(r"^hl[0-9]+-[0-9a-f]{6}$")


class Claim:
    """A tag and its state folder, ours until release() or our death."""

    def __init__(self):
        self.tag = f"hl{os.getpid()}-{secrets.token_hex(3)}"
        self.dir = STATE / self.tag
        STATE.mkdir(mode=0o755, exist_ok=True)
        self.dir.mkdir(mode=0o700)
        # Children get their own descriptors only (close_fds), so the lock dies with this process.
        self._lock = open(self.dir / "lock", "w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def netns(self, name):
        return f"{self.tag}.{name}"

    def release(self):
        remove(self.tag)
        self._lock.close()


def pids_in_netns(name):
    """The processes whose network namespace is this one."""
    try:
        wanted = os.stat(NETNS / name)
    except FileNotFoundError:
        return []
    pids = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            got = os.stat(f"/proc/{entry}/ns/net")
        except OSError:
            continue
        if (got.st_dev, got.st_ino) == (wanted.st_dev, wanted.st_ino):
            pids.append(int(entry))
    return pids


def kill_in_netns(name, patience_s=5.0):
    """Ends every process in a namespace that the lab made: nobody else has any business there."""
    end = time.monotonic() + patience_s
    while pids := [pid for pid in pids_in_netns(name) if pid != os.getpid()]:
        for pid in pids:  # (a zombie has no namespace any more and is not listed)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if time.monotonic() > end:
            raise RuntimeError(f"{name}: processes {pids} do not die")
        time.sleep(0.01)


def remove(tag):
    """Removes all that stands under a tag. Tries everything, then raises the first failure."""
    failures = []
    for path in NETNS.glob(f"{tag}.*"):
        try:
            kill_in_netns(path.name)
            subprocess.run(["ip", "netns", "delete", path.name], check=True, capture_output=True)
        except (RuntimeError, subprocess.CalledProcessError) as e:
            failures.append(e)
    shutil.rmtree(STATE / tag, ignore_errors=True)
    try:
        STATE.rmdir()
    except OSError:
        pass  # others are at work
    if failures:
        raise failures[0]


def sweep():
    """Removes what labs left whose owners are dead; returns their tags."""
    swept = []
    for path in sorted(STATE.glob("hl*-*")):
        if not TAG.match(path.name):
            continue
        try:
            lock = open(path / "lock", "r+")
        except FileNotFoundError:
            # Its owner is just being born or dying, unless its folder is old.
            if time.time() - path.stat().st_mtime > 60:
                remove(path.name)
            continue
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            remove(path.name)
            swept.append(path.name)
    return swept


def leftovers(tag):
    """What still stands under a tag, in words; empty when nothing does."""
    found = [f"namespace {p.name}" for p in NETNS.glob(f"{tag}.*")]
    if (STATE / tag).exists():
        found.append(f"folder {STATE / tag}")
    return found
