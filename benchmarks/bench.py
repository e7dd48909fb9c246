"""Measures what a call costs, beside the peers, and prints one table: `python benchmarks/bench.py`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script, this folder is no package otherwise

from benchmarks.imports import measure_imports
from benchmarks.origin import serving
from benchmarks.ours import OURS
from benchmarks.peers import PEERS
from benchmarks.report import as_json, as_text, circumstances
from benchmarks.rounds import measure


def main() -> None:
    """The whole run; about a minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=_positive, default=9, help="turns of each contestant (default 9)")
    parser.add_argument("--calls", type=_positive, default=1000, help="calls in each turn (default 1000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save the figures, too")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # some peers would send the loopback's requests there
    pinned = _pin()
    with serving() as origin:
        results = measure([*PEERS, *OURS], origin, rounds=options.rounds, calls=options.calls, tell=_tell)
    imports = measure_imports()
    head = circumstances(origin.kind, pinned=pinned, rounds=options.rounds, calls=options.calls)
    print(as_text(head, results, imports))
    if options.json:
        options.json.write_text(json.dumps(as_json(head, results, imports), indent=2) + "\n")


def _pin() -> bool:
    """Keeps this process, and the origin that it starts, on one CPU: how cores wake each other is not our subject."""
    if sys.platform != "linux":
        return False
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return True


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
