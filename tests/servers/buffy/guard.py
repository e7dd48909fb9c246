"""A program: runs a command in a process group of its own, and leaves nothing of it behind, whatever happens.

What comes on standard input tells when: anything is a request to leave (SIGTERM), the end of it an order (SIGKILL).
The end comes as well when whoever started this program is gone, be it by `kill -9`.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress

GRACE = 5.0  # seconds to leave in, when asked to
SUBREAPER = 36  # prctl(2), PR_SET_CHILD_SUBREAPER: whose parent dies comes here, and is waited for, too


def main(*command: str) -> None:
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    ended = os.pidfd_open(child.pid)

    def kill(*_: object) -> None:
        os.killpg(child.pid, signal.SIGKILL)

    told, _, _ = select.select([0, ended], [], [])  # nobody waits for the child yet: its number stays its own
    if 0 in told and os.read(0, 1):
        signal.signal(signal.SIGALRM, kill)
        signal.setitimer(signal.ITIMER_REAL, GRACE)
        os.killpg(child.pid, signal.SIGTERM)
    else:
        kill()
    with suppress(ChildProcessError):
        while True:
            os.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
