"""The distribution: what setup.cfg lists is what the tree holds, and what an installation offers."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from configparser import ConfigParser
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import jackfield

ROOT = Path(__file__).parents[1]
SOURCES = {"sdk": "jackfield", "plugins": "jackfield_plugins jackfield_services", "contrib": "jackfield_contrib"}


def config() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def modules(package: str) -> list[Path]:
    folder = next(folder for folder, packages in SOURCES.items() if package in packages.split())
    return sorted((ROOT / folder / package).rglob("*.py"))


PACKAGES = [package for packages in SOURCES.values() for package in packages.split()]


def test_the_packages_listed_are_those_of_the_tree() -> None:
    listed = config()["options"]["packages"].split()

    found = {
        ".".join(init.parent.relative_to(ROOT / folder).parts)
        for folder in SOURCES
        for init in (ROOT / folder).rglob("__init__.py")
    }
    assert sorted(listed) == sorted(found)


def test_no_module_lies_outside_a_package() -> None:
    for folder in SOURCES:
        for module in (ROOT / folder).rglob("*.py"):
            assert (module.parent / "__init__.py").exists(), module


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_that_it_is_typed(package: str) -> None:
    assert (modules(package)[0].parent / "py.typed").exists()
    assert config()["options.package_data"][package] == "py.typed"


def test_every_plugin_module_with_a_hook_is_an_entry_point() -> None:
    listed = dict(line.split(" = ") for line in config()["options.entry_points"]["jackfield"].strip().splitlines())

    def has_hook(module: Path) -> bool:
        functions = [node for node in ast.parse(module.read_text()).body if isinstance(node, ast.FunctionDef)]
        return any(ast.unparse(mark) == "hookimpl" for function in functions for mark in function.decorator_list)

    names = [
        (module.parent if module.stem == "__init__" else module).stem
        for module in modules("jackfield_plugins")
        if has_hook(module)
    ]
    found = {name: f"jackfield_plugins.{name}" for name in names}
    assert listed == found


def test_the_installation_offers_what_setup_cfg_says() -> None:
    for group in ("jackfield", "jackfield.commands", "console_scripts"):
        listed = {line.split(" = ")[0] for line in config()["options.entry_points"][group].strip().splitlines()}
        assert listed <= {entry.name for entry in entry_points(group=group)}


@pytest.mark.parametrize(
    "package", ["jackfield_plugins", "jackfield_services", "jackfield_contrib", "jackfield/testing"]
)
def test_only_the_cores_public_names_are_used(package: str) -> None:
    for module in (ROOT / "sdk" / package).rglob("*.py") if "/" in package else modules(package):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "jackfield":
                assert node.module in ("jackfield", "jackfield.testing"), f"{module}: {node.module}"
                assert {alias.name for alias in node.names} <= set(jackfield.__all__), module


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_first_what_belongs_there(package: str) -> None:
    for module in modules(package):
        assert ast.get_docstring(ast.parse(module.read_text())), module


def test_a_plugin_of_another_distribution_runs_when_it_is_named_and_not_before(tmp_path: Path) -> None:
    example = ROOT / "examples" / "acme-plugin"
    build = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target"]
    copy = tmp_path / "source"  # so that building leaves nothing in the tree
    copy.mkdir()
    for file in example.iterdir():
        (copy / file.name).write_text(file.read_text())
    subprocess.run([*build, str(tmp_path / "site"), str(copy)], check=True, capture_output=True)
    script = """
import sys
from jackfield import Client, Request, Service, operation
from jackfield.testing import FakeTransport, json_response

class Hub(Service):
    @operation
    async def ping(self) -> int:
        return (await self.send(Request("GET", self.url()))).status

class HubClient(Hub, Client): ...

def header(plugins):
    transport = FakeTransport([json_response({})])
    HubClient("https://hub.example", transport=transport, plugins=plugins).ping()
    return transport.requests[0].headers.get("x-request-id", "none")

print(header([]), "acme_jackfield" in sys.modules)
print(len(header(["acme"])), "acme_jackfield" in sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.stdout.splitlines() == ["none False", "14 True"]
