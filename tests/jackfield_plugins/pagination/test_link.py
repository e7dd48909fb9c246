"""Link header fields (RFC 8288): the public vectors, the cases of its text and appendix, and anything else."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield_plugins.pagination import Link, parse_links

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "link_header.json").read_text())
CASES = {case["name"]: case for case in VECTORS["cases"]}


def lines(case: dict[str, Any]) -> list[str]:
    given = case["input"]
    if isinstance(given, dict):
        return [given["prefix"] + given["unit"] * given["n"] + given["suffix"]]
    return list(given)


def test_every_vector_is_here() -> None:
    assert len(CASES) == VECTORS["count"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["links"] is not None])
def test_a_field_gives_the_links_of_its_vector(name: str) -> None:
    found = parse_links(lines(CASES[name]))

    for link, expected in zip(found, CASES[name]["links"], strict=True):
        assert link.target == expected["target"]
        assert list(link.rel) == expected["rel"]
        params = dict(link.params)
        if titles := expected.get("title_any_of"):
            assert params.pop("title") in titles
        assert params == expected["params"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.get("must_not_crash")])
def test_what_is_malformed_is_read_as_far_as_it_goes_in_linear_time(name: str) -> None:
    started = time.thread_time()

    found = parse_links(lines(CASES[name]))

    assert all(isinstance(link, Link) for link in found)
    assert time.thread_time() - started < 2


def one(line: str) -> Link:
    (link,) = parse_links([line])
    return link


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("</a>", Link("/a", (), {})),
        ("<>; rel=next", Link("", ("next",), {})),
        ("</a>; rel=NEXT", Link("/a", ("next",), {})),
        ("</a>; REL=next", Link("/a", ("next",), {})),
        ('</a>; rel="  next   LAST "', Link("/a", ("next", "last"), {})),
        ('</a>; rel="https://e.test/Rel next"', Link("/a", ("https://e.test/Rel", "next"), {})),
        ("</a>;rel=next", Link("/a", ("next",), {})),
        ("\t</a>\t;\trel\t=\tnext\t", Link("/a", ("next",), {})),
        ('</a>; rel="next"; title="a, b; c <d>"', Link("/a", ("next",), {"title": "a, b; c <d>"})),
        ('</a>; title="\\n\\"\\\\"', Link("/a", (), {"title": 'n"\\'})),
        ('</a>; title=""; rel=next', Link("/a", ("next",), {"title": ""})),
        ("</a>; title=; rel=next", Link("/a", ("next",), {"title": ""})),
        ("</a>; title=one \t; rel=next", Link("/a", ("next",), {"title": "one"})),
        ("</a>; title=a b , ", Link("/a", (), {"title": "a b"})),
        ("</a>; title=one; title=two", Link("/a", (), {"title": "one"})),
        ("</a>; title=one; title*=UTF-8''two", Link("/a", (), {"title": "two"})),
        ("</a>; title*=UTF-8''one; title*=UTF-8''two", Link("/a", (), {"title": "one"})),
        ("</a>; title*=utf-8'de'gr%c3%bcn", Link("/a", (), {"title": "grün"})),
        ("</a>; title*=UTF-8''%ff; title=one", Link("/a", (), {"title": "one"})),
        ("</a>; title*=UTF-8'', x=y", Link("/a", (), {"title": ""})),
        ("</a>; title*=UTF-16''%00a", Link("/a", (), {})),
        ("</a>; title*=nothing", Link("/a", (), {})),
        ("</a>; title*", Link("/a", (), {})),
        ("</a>; rel*=UTF-8''next", Link("/a", (), {})),
        ("</a>; anchor*=UTF-8''x; anchor=y", Link("/a", (), {"anchor": "y"})),
        ("</a>; rel=next;", Link("/a", ("next",), {})),
        ("</a>;; ;rel=next", Link("/a", ("next",), {})),
        ('</a>; rel="next"junk; title=x', Link("/a", ("next",), {})),
        ("</a> junk; rel=next", Link("/a", (), {})),
        ('</a>; rel="next\\', Link("/a", ("next",), {})),
        ("</a>; hreflang=de; hreflang=en", Link("/a", (), {"hreflang": "de"})),
        ("<http://e.test/a,b>; rel=next", Link("http://e.test/a,b", ("next",), {})),
    ],
)
def test_one_link(line: str, expected: Link) -> None:
    assert one(line) == expected


@pytest.mark.parametrize(
    "line", ["", " ", ",", ", ,,", "/a; rel=next", "<", "</a", "</a; rel=next", '"</a>"', "; rel=next"]
)
def test_what_is_no_link_gives_none(line: str) -> None:
    assert parse_links([line]) == []


@pytest.mark.parametrize(
    ("line", "targets"),
    [
        ("</a>,</b>", ["/a", "/b"]),
        ("</a>; rel=x,</b>;rel=y", ["/a", "/b"]),
        ("junk, </b>", ["/b"]),
        ('j"u,</x>"k, </b>', ["/b"]),
        ('</a>; rel="x" junk "y, </c>" junk, </b>', ["/a", "/b"]),
        ("</a> <,x>, </b>", ["/a", "/b"]),
        ("</a> </b>, </c>", ["/a", "/c"]),
        ('</a>; rel="x, </b>', ["/a"]),
        (",,</a>,, ,</b>,", ["/a", "/b"]),
    ],
)
def test_several_links_are_told_apart_whatever_stands_between_them(line: str, targets: list[str]) -> None:
    assert [link.target for link in parse_links([line])] == targets


def test_lines_are_read_each_on_its_own() -> None:
    assert [link.target for link in parse_links(['</a>; rel="x', "</b>", "</c"])] == ["/a", "/b"]


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        ">",
        '"',
        "\\",
        ";",
        ",",
        "=",
        " ",
        "\t",
        "</a>",
        '</a>; x="',
        "; x=",
        '\\"',
        '<"',
        "</a>;x*=UTF-8''%41",
        ' "<',
        "</a>; rel=x, ",
        '"\\',
        "a",
        "%41",
        "</a>;  ",
        "< ,",
        '",',
    ],
)
@pytest.mark.parametrize("before", ["", "<", '</a>; title="', "</a>; title*=UTF-8''", "</a>", "</a>;"])
def test_whatever_is_repeated_it_takes_linear_time(unit: str, before: str) -> None:
    line = before + unit * (200_000 // len(unit))
    started = time.thread_time()

    parse_links([line])

    assert time.thread_time() - started < 2


@given(st.text(alphabet="<>;,=\"\\ \tab*%'\x00\n/é", max_size=60))
@settings(deadline=None, max_examples=300)
def test_whatever_comes_is_links(line: str) -> None:
    for link in parse_links([line]):
        assert ">" not in link.target
        assert f"<{link.target}>" in line
        assert {"", "rel"}.isdisjoint(link.params)
        assert all(name == name.lower() for name in link.rel if ":" not in name)


_VALUES = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@given(st.lists(st.tuples(st.from_regex(r"[!-;=?-~]{0,20}", fullmatch=True), _VALUES, _VALUES), max_size=4))
@settings(deadline=None, max_examples=100)
def test_what_is_written_by_the_grammar_is_read_back(written: list[tuple[str, str, str]]) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    line = " , ".join(f"<{to}> ; title={quoted(title)};x ={quoted(x)}; rel=next" for to, title, x in written)

    assert parse_links([line]) == [Link(to, ("next",), {"title": title, "x": x}) for to, title, x in written]
