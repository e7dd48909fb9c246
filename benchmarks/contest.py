"""Big transfers beside their peers: each contestant in a process of its own, on one CPU; the server is another process.

CPU time is the client's alone, user and system. Memory is by how much the peak of the resident set grew over what a
transfer of 1 MB by the same way had left it at.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

SMALL, BIG = 1024 * 1024, 200 * 1024 * 1024
PIECE = 64 * 1024
BLOCK = bytes(range(256)) * 4096
TIMEOUT = 30  # seconds, of every contestant: none waits for ever
_ROOT = Path(__file__).resolve().parent.parent


def hold(
    module: str,
    description: str | None,
    groups: Mapping[str, tuple[str, ...]],
    prepare: Callable[[str, str, Path], Callable[[int], None]],
) -> None:
    """Runs the contest, and prints it; about a minute.

    Args:
        module: this benchmark's; its function `serve` prints its port, and serves until it is ended.
        description: for `--help`.
        groups: those who are compared, by whom they are compared with.
        prepare: for a contestant, the server's URL and a folder to work in: what moves so many bytes.
    """
    contestants = [name for first, others in groups.items() for name in (first, *others)]
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=7, help="transfers by each contestant (default 7)")
    parser.add_argument("--contestant", choices=contestants, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        print(*_measured(options.contestant, options.url, prepare))
        return
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    with _serving(module) as url:
        for _ in range(options.rounds):
            for name, figures in found.items():
                figures.append(_in_a_process(module, name, url))
    print(f"{BIG // 2**20} MiB, {options.rounds} rounds: CPU seconds, beside the first of each group; the worst memory")
    print(f"{'':<24}{'median':>8}{'ratio':>8}{'lowest':>8}{'ratio':>8}{'peak RSS MB':>13}")
    for first, others in groups.items():
        bases = [middle([cpu for cpu, _ in found[first]]) for middle in (median, min)]
        for name in (first, *others):
            cpus = [middle([cpu for cpu, _ in found[name]]) for middle in (median, min)]
            columns = "".join(f"{cpu:>8.3f}{cpu / base:>8.2f}" for cpu, base in zip(cpus, bases, strict=True))
            print(f"{name:<24}{columns}{max(memory for _, memory in found[name]):>+13.2f}")


def _in_a_process(module: str, name: str, url: str) -> tuple[float, float]:
    command = [sys.executable, "-m", module, "--contestant", name, "--url", url]
    told = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    cpu, memory = map(float, told.split())
    return cpu, memory


def _measured(name: str, url: str, prepare: Callable[[str, str, Path], Callable[[int], None]]) -> tuple[float, float]:
    """CPU seconds of the big transfer, and MB by which it raised the peak."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(prefix="jackfield-bench-") as folder:
        move = prepare(name, url, Path(folder))
        move(SMALL)
        before, began = _peak(), time.process_time()
        move(BIG)
        return time.process_time() - began, _peak() - before


def _peak() -> float:
    """MB; not of `getrusage`, where a child begins with the peak of its parent."""
    if sys.platform != "linux":
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


@contextmanager
def _serving(module: str) -> Generator[str]:
    """The benchmark's server in a process of its own, on the other CPU; its URL."""
    command = [sys.executable, "-c", f"from {module} import serve; serve()"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()
