"""What `import jackfield` costs in a fresh interpreter, beside the peers: modules loaded, and time."""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from typing import NamedTuple

LIBRARIES = ("jackfield", "urllib3", "httpx", "requests")

# `sys` and `time` are built in; what site's .pth files loaded before is not counted.
_SCRIPT = """
import sys, time
before = set(sys.modules)
wall, cpu = time.perf_counter(), time.process_time()
import {library}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(len(set(sys.modules) - before), wall * 1e3, cpu * 1e3)
"""


class Import(NamedTuple):
    """Medians. `modules` counts those beyond the interpreter's own; 0 for what is not installed."""

    library: str
    modules: int
    wall_ms: float
    cpu_ms: float


def measure_imports(runs: int = 7) -> list[Import]:
    """Each library in `runs` interpreters, by turns, after one that writes the bytecode."""
    found: dict[str, list[tuple[float, ...]]] = {library: [] for library in LIBRARIES}
    for _ in range(runs + 1):
        for library, figures in found.items():
            figures += _imported(library)
    return [
        Import(library, int(middle[0]), *middle[1:]) if (middle := _medians(figures[1:])) else Import(library, 0, 0, 0)
        for library, figures in found.items()
    ]


def _imported(library: str) -> list[tuple[float, ...]]:
    """The figures of one fresh interpreter, or none if it cannot import the library."""
    command = [sys.executable, "-P", "-c", _SCRIPT.format(library=library)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    return [tuple(map(float, done.stdout.split()))] if done.returncode == 0 else []


def _medians(figures: list[tuple[float, ...]]) -> list[float]:
    return [median(column) for column in zip(*figures, strict=True)]
