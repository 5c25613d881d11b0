# SPDX-License-Identifier: BSD-2-Clause
"""What a demo or bench prints as it goes: numbered steps, what was seen, and whether it held."""
import sys
import time
import traceback
from contextlib import contextmanager


class StepFailed(Exception):
    """A step did not hold. It has been reported; what follows makes no sense."""


class Report:
    def __init__(self, title, out=sys.stdout):
        self.out, self.steps, self.failed = out, 0, []
        self._start = time.monotonic()
        self._print(f"{title}\n{'=' * len(title)}")

    def _print(self, text):
        print(text, file=self.out, flush=True)

    @contextmanager
    def step(self, what):
        """One step: `with report.step("tunnels come up") as say: ... say("detail")`."""
        self.steps += 1
        start = time.monotonic()
        self._print(f"\n[{self.steps}] {what}")
        try:
            yield self.say
        except Exception as e:
            self.failed.append(what)
            self._print(_indent(f"FAILED after {time.monotonic() - start:.1f} s: {e or repr(e)}"))
            if not isinstance(e, (AssertionError, RuntimeError)):
                self._print(_indent(traceback.format_exc()))
            raise StepFailed(what) from e
        self._print(_indent(f"ok, {time.monotonic() - start:.1f} s"))

    def say(self, text=""):
        self._print(_indent(str(text)))

    def check(self, condition, text):
        """Says text; fails the step when the condition is not true."""
        if not condition:
            raise AssertionError(text)
        self.say(text)

    def end(self):
        """The last line; returns the exit status."""
        took = time.monotonic() - self._start
        if self.failed:
            self._print(f"\nFAILED: {'; '.join(self.failed)} ({took:.0f} s)")
            return 1
        self._print(f"\nEvery step held: {self.steps} steps in {took:.0f} s.")
        return 0


def _indent(text):
    return "\n".join("    " + line for line in text.splitlines())


def table(rows, heads):
    """Rows of cells as text, each column as wide as its widest cell."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip()
                     for row in [heads, *rows])
