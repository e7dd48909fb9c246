"""What an emulator stands on: what its modules import, and how it runs where nothing else is installed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import jackfield_services

SERVICES = Path(str(jackfield_services.__file__)).parent
SHARED = (
    "jackfield_services._given",
    "jackfield_services._injected",
    "jackfield_services._loopback",
)  # by the emulators


def imported(module: Path) -> set[str]:
    """The whole names of the modules that a module of the services imports; not those of the standard library."""
    package = ".".join(module.parent.relative_to(SERVICES.parent).parts)
    names = _names(ast.parse(module.read_text()), package)
    return {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}


def _names(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield resolve_name("." * node.level + (node.module or ""), package)


def foreign(emulator: Path) -> list[tuple[str, str]]:
    """What the modules of an emulator import that is neither its own nor among `SHARED`: each with its importer."""
    own = f"jackfield_services.{emulator.parent.name}.emulator"
    imports = [(module.name, name) for module in sorted(emulator.glob("*.py")) for name in imported(module)]
    return [(module, name) for module, name in imports if name not in (own, *SHARED) and not name.startswith(f"{own}.")]


def run_alone(folder: Path, emulator: Path, program: str) -> tuple[str, str]:
    """What a program prints and what it complains of, given an empty folder, the emulator and `SHARED` only."""
    services = folder / "jackfield_services"
    bundle = services / emulator.parent.name
    bundle.mkdir(parents=True)
    for package in (services, bundle):
        (package / "__init__.py").touch()
    for name in SHARED:
        module = f"{name.rpartition('.')[2]}.py"
        (services / module).symlink_to(SERVICES / module)
    (bundle / "emulator").symlink_to(emulator)
    done = subprocess.run(  # this Python, without any installed package
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{program}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr
