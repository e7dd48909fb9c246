"""What the figures look like: as a plain table, and as JSON. Nothing is measured here."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.imports import Import
from benchmarks.rounds import Group, Result

_LIBRARIES = ("jackfield", "urllib3", "msgspec", "pluggy", "httpx", "requests", "botocore", "aiohttp")


def circumstances(origin: str, *, pinned: bool, rounds: int, calls: int) -> dict[str, str]:
    """On what, with what and how it was measured."""
    where = "client and origin on one CPU" if pinned else "not pinned to a CPU"
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "python": f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()}",
        "cpu": f"{_cpu()}, {os.cpu_count()} cores",
        "libraries": ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES),
        "origin": f"{origin}; {where}",
        "method": f"medians of {rounds} rounds of {calls} calls, interleaved; CPU time of this process, all threads",
    }


def ratios(results: Sequence[Result], reference: Group) -> dict[Result, float | None]:
    """Each to the first of a group, by the medians; None where there is nothing to compare."""
    first = next(result for result in results if result.group is reference)
    return {r: r.microseconds / first.microseconds if r.turns and first.turns else None for r in results}


def as_text(head: dict[str, str], results: Sequence[Result], imports: Sequence[Import]) -> str:
    """The table."""
    return "\n".join([*_head(head), *_calls(results), *_imports(imports)])


def as_json(head: dict[str, str], results: Sequence[Result], imports: Sequence[Import]) -> dict[str, Any]:
    """The same, with every round's figure."""
    to_urllib3, to_aiohttp = ratios(results, Group.SYNC), ratios(results, Group.ASYNC)
    return {
        "circumstances": head,
        "calls": [
            {
                "group": result.group.value,
                "name": result.name,
                "cpu_us_per_call": result.microseconds if result.turns else None,
                "to_urllib3": to_urllib3[result],
                "to_aiohttp": to_aiohttp[result] if result.group is Group.ASYNC else None,
                "rounds": result.turns,
            }
            for result in results
        ],
        "imports": [found._asdict() for found in imports],
    }


def _head(head: dict[str, str]) -> Iterator[str]:
    for name, value in head.items():
        yield f"{name + ':':<11}{value}"


def _calls(results: Sequence[Result]) -> Iterator[str]:
    to_urllib3, to_aiohttp = ratios(results, Group.SYNC), ratios(results, Group.ASYNC)
    for group in Group:
        yield ""
        yield f"{group.value:<56}{'CPU µs/call':>14}{'/urllib3':>10}{'/aiohttp':>10}{'quartiles':>18}"
        for result in results:
            if result.group is group and not result.turns:
                yield f"  {result.name:<54}{'not installed':>14}"
            elif result.group is group:
                other = _two_places(to_aiohttp[result] if group is Group.ASYNC else None)
                shown = f"{_two_places(to_urllib3[result]):>10}{other:>10}{_spread(result.turns):>18}"
                yield f"  {result.name:<54}{result.microseconds:>14.1f}{shown}"


def _imports(imports: Sequence[Import]) -> Iterator[str]:
    yield ""
    yield f"{'import, in a fresh interpreter':<56}{'modules':>14}{'wall ms':>10}{'CPU ms':>10}"
    for found in imports:
        if found.modules:
            yield f"  import {found.library:<47}{found.modules:>14}{found.wall_ms:>10.1f}{found.cpu_ms:>10.1f}"
        else:
            yield f"  import {found.library:<47}{'not installed':>14}"


def _two_places(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _spread(turns: Sequence[float]) -> str:
    if len(turns) < 2:
        return ""
    low, _, high = quantiles(turns, n=4, method="inclusive")
    return f"{low:.1f} - {high:.1f}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
