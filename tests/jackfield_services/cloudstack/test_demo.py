"""The demo does what it says, and says what it does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jackfield._cli import main


def test_the_demo_shows_machines_pages_the_retry_and_the_jobs_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0

    told = capsys.readouterr().out
    assert told.count("1,200 machines came in 3 pages, and `count` says 1,200") == 2
    assert told.count("503: attempt 2 follows in") == 2
    assert told.count("the job's result: the machine 'demo' is Running") == 2
    assert told.count("poll 7: done") == 2


def test_the_demo_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "jackfield", "demo"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "1,200" in done.stdout


@pytest.mark.parametrize(("arguments", "status"), [(["demo", "--help"], 0), (["demo", "x"], 2)])
def test_the_demo_takes_no_arguments(arguments: list[str], status: int) -> None:
    assert main(arguments) == status
