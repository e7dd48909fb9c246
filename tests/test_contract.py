"""Every row of the contract has a case: S01-S47 under tests/security, F01-F45 under tests/faults, each by its name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
NOT_YET: dict[str, str] = {}  # rows, and why they have no case; one that has does not belong here
_named = re.compile(r"test((?:_[sf]\d\d)+)_").match  # test_s01_…, test_f08_f09_…
_row = re.compile(r"([SF]\d\d)(?: |$)").match  # Row("F11 short by one", …): the beginning of a case's id


def rows_of(tree: ast.AST) -> Iterator[str]:
    """The rows that a module's tests and cases are named after."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (named := _named(node.name)):
            yield from named[1].upper().split("_")[1:]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            first = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and (row := _row(first.value)):
                yield row[1]


def rows_in(folder: str) -> set[str]:
    """The rows that have a case there."""
    return {row for path in (TESTS / folder).glob("test_*.py") for row in rows_of(ast.parse(path.read_text()))}


def rows(letter: str, last: int) -> set[str]:
    return {f"{letter}{number:02}" for number in range(1, last + 1)}


def test_every_row_of_security_has_a_case() -> None:
    assert rows_in("security") == rows("S", 47) - set(NOT_YET)


def test_every_fault_has_a_case() -> None:
    assert rows_in("faults") == rows("F", 45)


def test_rows_are_found_by_the_names_of_tests_and_of_cases() -> None:
    module = """
def test_s01_s02_a_name(): ...
async def test_f07_another(): ...
def check_s03_no_test(): ...
def test_without(): "S04 is not here"
ROWS = [Row("F11 short"), *[Row(f"F12 {n}") for n in (1, 2)], Row("F1 no row"), "F13 no case"]
"""
    assert set(rows_of(ast.parse(module))) == {"S01", "S02", "F07", "F11", "F12"}
