"""Every example in the README runs as it stands, a section at a time, from top to bottom."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from jackfield_services.buffy.emulator import BuffyEmulator
from jackfield_services.cloudstack.emulator import CloudStackEmulator
from jackfield_services.flame_hub.emulator import FlameHubEmulator

DATA = b"data"
README = (Path(__file__).parents[1] / "README.md").read_text()
SECTIONS = {part.partition("\n")[0]: part for part in README.split("\n## ")[1:]}


def examples(section: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", SECTIONS[section], re.DOTALL)


@pytest.mark.parametrize("section", [name for name in SECTIONS if examples(name)])
def test_the_examples_of_a_section_run(section: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(time, "sleep", float)  # which does nothing: jobs are polled every two seconds
    monkeypatch.chdir(tmp_path)
    with (
        CloudStackEmulator(machines=3, job_polls=1) as cloud,
        FlameHubEmulator("1.1.0", nodes=2) as hub,
        BuffyEmulator() as buffy,
    ):
        buffy.origin("https://example.org/data.csv.gz", DATA)
        given = {
            "end_point": cloud.end_point,
            "api_key": cloud.api_key,
            "api_secret": cloud.api_secret,
            "auth_url": hub.auth_url,
            "core_url": hub.core_url,
            "password": hub.password,
            "buffy_url": buffy.url,
        }
        namespace: dict[str, Any] = {"__name__": "readme", **given}
        for example in examples(section):
            exec(compile(example, f"README.md, {section}", "exec"), namespace)

        talks = "CloudStack(end_point" in SECTIONS[section]
        assert bool(cloud.requests) is talks
        assert all(request.status == 200 for request in cloud.requests)
        if "BuffyClient(buffy_url" in SECTIONS[section]:
            assert Path("data.csv.gz").read_bytes() == DATA
            assert any(request.path.endswith("/pin") for request in buffy.requests)


def test_the_two_commands_come_first() -> None:
    first = README.split("```")[1]

    assert 'pip install ".[cli]" && jackfield demo' in first
    assert "pip install tox && tox" in first


def test_what_ci_runs_is_what_the_readme_says() -> None:
    script = (Path(__file__).parents[1] / ".ci" / "run").read_text()

    assert "\ntox\n" in script
    assert "pip install --quiet tox" in script


def test_no_figure_is_left_open() -> None:
    assert "FIGURES" not in README
