"""What must not outlive a fork: locks that other threads held at that moment."""

from __future__ import annotations

import os
import threading


def fork_safe_lock() -> threading.RLock:
    """A lock for a module's few lines of bookkeeping: no fork comes between them, and the child finds it free.

    The same thread may take it again, as a coroutine that was given up does, which ends wherever the garbage collector
    finds it. Make one for a module, not for each object: it is never forgotten. Do not wait while you hold it.
    """
    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock
