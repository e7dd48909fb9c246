"""The emulator shares no code with the client it tests, and needs nothing but the standard library."""

from __future__ import annotations

from pathlib import Path

from tests.jackfield_services.independence import SERVICES, foreign, run_alone

FOLDER = SERVICES / "buffy" / "emulator"
PROGRAM = """
from jackfield_services.buffy.emulator import BuffyEmulator
with BuffyEmulator() as buffy: print(buffy.url)
"""


def test_it_imports_nothing_but_itself_what_emulators_share_and_the_standard_library() -> None:
    assert foreign(FOLDER) == []


def test_it_runs_where_there_is_nothing_else(tmp_path: Path) -> None:
    printed, complaints = run_alone(tmp_path, FOLDER, PROGRAM)
    assert (complaints, printed[:17]) == ("", "http://127.0.0.1:")
