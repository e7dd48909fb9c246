"""What `jackfield` names: all of it, sorted, importable, and cheap to import."""

from __future__ import annotations

import ast
import subprocess
import sys
import types
from pathlib import Path

import pytest

import jackfield
import jackfield.testing
import jackfield_plugins

MODULES = 60  # that `import jackfield` may load beyond the interpreter
LATER = {"asyncio", "http.client", "jackfield_plugins", "msgspec", "pluggy", "ssl", "urllib3"}
PACKAGES = [jackfield, jackfield_plugins]


def loaded(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after the code."""
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(told.stdout.split())


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in Path(package.__file__ or "").parent.rglob("*.py"))


@pytest.mark.parametrize("package", [jackfield, jackfield.testing], ids=lambda package: package.__name__)
def test_all_is_sorted_without_repetition_and_every_name_is_there(package: types.ModuleType) -> None:
    assert package.__all__ == sorted(set(package.__all__))
    for name in package.__all__:
        assert getattr(package, name) is not None


def test_a_star_import_gives_every_name() -> None:
    names: dict[str, object] = {}

    exec("from jackfield import *", names)

    assert set(jackfield.__all__) <= set(names)


def test_every_public_name_of_the_package_is_in_all() -> None:
    own = {
        name
        for name, value in vars(jackfield).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }

    assert own - {"TYPE_CHECKING", "Any"} <= set(jackfield.__all__)


def test_every_name_says_what_it_is() -> None:
    aliases = {
        "Event",
        "FieldPath",
        "JobState",
        "Observer",
        "Proceed",
        "ProgressCallback",
        "Sink",
        "Tap",
        "hookimpl",
    }  # they are no classes, and cannot

    for name in set(jackfield.__all__) - aliases:
        assert (getattr(jackfield, name).__doc__ or "").strip(), name


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(jackfield, "Nothing")
    with pytest.raises(ImportError):
        exec("from jackfield import Nothing")


def test_every_name_shows_up_in_dir_for_those_who_look_around() -> None:
    assert set(jackfield.__all__) <= set(dir(jackfield))


def test_the_package_names_what_static_tools_see_and_what_the_interpreter_gives_alike() -> None:
    tree = ast.parse(Path(jackfield.__file__).read_text())
    seen = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert set(jackfield.__all__) <= seen


def test_importing_jackfield_loads_few_modules_and_nothing_heavy() -> None:
    extra = loaded("import jackfield") - loaded("pass")

    assert len(extra) <= MODULES
    assert not {name for name in extra if any(name == late or name.startswith(f"{late}.") for late in LATER)}


def test_making_requests_urls_headers_secrets_and_errors_loads_nothing_heavy_either() -> None:
    code = """
import jackfield as j
r = j.Request("GET", j.Url.parse("https://h/").at("a b"), query={"a": "ü"}, headers={"a": "b"})
r.target; repr(r); j.Secret("x") == j.Secret("x"); str(j.ServiceError.from_response(j.Response(404)))
class S(j.Service):
    @j.operation
    async def get(self): ...
class C(S, j.Client): ...
"""
    extra = loaded(code) - loaded("pass")

    assert not {name for name in extra if any(name == late or name.startswith(f"{late}.") for late in LATER)}


def test_a_sync_client_on_another_transport_loads_neither_urllib3_nor_asyncio() -> None:
    code = """
import jackfield as j
class S(j.Service):
    @j.operation
    async def get(self): await self.send(j.Request("GET", self.url()))
class C(S, j.Client): ...
class T:
    async def send(self, request, call): return j.Response(200)
    async def close(self): ...
C("https://h", transport=T()).get()
"""
    extra = loaded(code)

    assert not {"urllib3", "ssl", "asyncio", "http.client", "jackfield_plugins"} & extra


@pytest.mark.parametrize("path", sources(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_module_begins_by_saying_what_it_is(path: Path) -> None:
    doc = ast.get_docstring(ast.parse(path.read_text()))

    assert doc
    assert doc.splitlines()[0].endswith((".", ":"))


def test_plugins_use_only_what_jackfield_names() -> None:
    for path in Path(jackfield_plugins.__file__ or "").parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "jackfield":
                assert node.module in ("jackfield", "jackfield.testing"), path.name
                assert {alias.name for alias in node.names} <= set(jackfield.__all__), path.name
