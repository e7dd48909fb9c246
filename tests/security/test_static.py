"""What must not stand in the code at all: S34, what is read is never executed; S43, no secret is compared by `==`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(module for folder in ("sdk", "plugins", "contrib") for module in (ROOT / folder).rglob("*.py"))
FORBIDDEN_MODULES = {"dill", "cloudpickle", "marshal", "pickle", "shelve", "yaml"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
_secret = re.compile(r"(?:^|_)(?:secret|signature|digest|mac|password|nonce|state|verifier|expected)(?:$|_)").search
HARMLESS = {
    "api_secret != api_secret.strip()",  # the user's own, with itself
    "page.digest == at.last",  # of pages, to see that one came twice
}


def executes(tree: ast.AST) -> Iterator[str]:
    """What could run code that was read from somewhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
            yield ast.unparse(node)


def compares_secrets(tree: ast.AST) -> Iterator[str]:
    """Comparisons by `==` of what an attacker could guess piece by piece."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Constant) for side in sides):
                continue
            names = [side.attr if isinstance(side, ast.Attribute) else getattr(side, "id", "") for side in sides]
            if any(_secret(name.lower()) for name in names) and ast.unparse(node) not in HARMLESS:
                yield ast.unparse(node)


def ours() -> dict[str, str]:
    return {module.relative_to(ROOT).as_posix(): module.read_text() for module in MODULES}


def careless(code: str) -> Callable[[], dict[str, str]]:
    """Broken on purpose."""
    return lambda: {"careless.py": code}


@pytest.mark.subjects(
    ours=ours,
    unpickling=careless("import pickle"),
    unmarshalling=careless("from marshal import loads"),
    loading=careless("import yaml.loader"),
    evaluating=careless("eval(text)"),
    executing=careless("exec(code, {})"),
)
def test_s34_nothing_that_is_read_is_executed(subject: Callable[[], dict[str, str]]) -> None:
    assert [(name, found) for name, text in subject().items() for found in executes(ast.parse(text))] == []


@pytest.mark.subjects(
    ours=ours,
    plain=careless("given == expected"),
    of_an_object=careless("self.signature != other"),
    of_another=careless("digest == body.digest"),
)
def test_s43_no_secret_is_compared_by_equality(subject: Callable[[], dict[str, str]]) -> None:
    assert [(name, found) for name, text in subject().items() for found in compares_secrets(ast.parse(text))] == []
