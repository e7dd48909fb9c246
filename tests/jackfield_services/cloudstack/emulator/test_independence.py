"""The emulator shares no code with the client it tests, and needs nothing but the standard library."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import jackfield_services.cloudstack.emulator

FOLDER = Path(str(jackfield_services.cloudstack.emulator.__file__)).parent


def test_it_imports_nothing_but_itself_and_the_standard_library() -> None:
    for module in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Import):
                assert {name.name.partition(".")[0] for name in node.names} <= sys.stdlib_module_names, module.name
            elif isinstance(node, ast.ImportFrom):
                own = node.level == 1
                assert own or str(node.module).partition(".")[0] in sys.stdlib_module_names, module.name


def test_it_runs_where_there_is_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "alone").symlink_to(FOLDER)
    program = (
        "from alone import CloudStackEmulator\nwith CloudStackEmulator(machines=1) as cloud: print(cloud.end_point)"
    )
    done = subprocess.run(  # this Python, without any installed package
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.stdout[:17]) == ("", "http://127.0.0.1:")
