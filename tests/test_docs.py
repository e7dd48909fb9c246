"""Every example of every page in docs/ runs as it stands, a page at a time, from top to bottom."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import jackfield_plugins.auth
import jackfield_plugins.caching
import jackfield_plugins.limits
import jackfield_plugins.pagination
import jackfield_plugins.polling
import jackfield_plugins.retry
import jackfield_plugins.signing
import jackfield_plugins.streaming
import jackfield_plugins.uploads
import jackfield_services.buffy
import jackfield_services.buffy.emulator
import jackfield_services.flame_hub.emulator

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def examples(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)])
def test_the_examples_of_a_page_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    namespace: dict[str, Any] = {"__name__": "docs"}
    for example in examples(page):
        exec(compile(example, f"docs/{page}", "exec"), namespace)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (DOCS / page).read_text()):
        assert (DOCS / page).parent.joinpath(target).exists(), target


DOCUMENTED = [
    jackfield_plugins.auth,
    jackfield_plugins.caching,
    jackfield_plugins.limits,
    jackfield_plugins.pagination,
    jackfield_plugins.polling,
    jackfield_plugins.retry,
    jackfield_plugins.signing,
    jackfield_plugins.streaming,
    jackfield_plugins.uploads,
    jackfield_services.buffy,
    jackfield_services.buffy.emulator,
    jackfield_services.flame_hub.emulator,
]


@pytest.mark.parametrize("package", DOCUMENTED, ids=lambda package: package.__name__)
def test_every_public_name_is_on_a_page(package: Any) -> None:
    text = "\n".join((DOCS / page).read_text() for page in PAGES)

    assert [name for name in package.__all__ if not re.search(rf"\b{name}\b", text)] == []


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = set(re.findall(r"\]\(([^)]+\.md)\)", (DOCS / "README.md").read_text()))

    assert listed == set(PAGES) - {"README.md"}
