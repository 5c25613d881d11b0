# SPDX-License-Identifier: BSD-2-Clause
"""Waiting for a condition: never a blind sleep, and a failure says what was last seen."""
import time


class NotReached(AssertionError):
    """A condition did not come true in its time."""


def wait_until(what, condition, timeout_s=15.0, every_s=0.05, seen=None):
    """Calls condition() until it returns something true, and returns that.

    An exception of condition() counts as "not yet" and is what was last seen; seen(), if given, is
    asked at the end for what to print.
    """
    end = time.monotonic() + timeout_s
    while True:
        last = None
        try:
            got = condition()
            if got:
                return got
            last = repr(got)
        except Exception as e:  # noqa: BLE001: not there yet, whatever the reason
            last = f"{type(e).__name__}: {e}"
        if time.monotonic() > end:
            break
        time.sleep(every_s)
    if seen is not None:
        try:
            last = f"{last}\n{seen()}"
        except Exception as e:  # noqa: BLE001
            last = f"{last}; and {type(e).__name__}: {e}"
    raise NotReached(f"not within {timeout_s:g} s: {what}; last seen: {last}")
