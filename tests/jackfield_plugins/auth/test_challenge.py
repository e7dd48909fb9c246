"""Challenges: read by the grammar of RFC 9110 §11, and in linear time whatever a server sends."""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import Headers
from jackfield_plugins.auth import Challenge, parse_challenges

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "www_authenticate.json").read_text())["cases"]
TOKEN = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=6)
VALUE = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]) | st.just("\t"), max_size=8)


def lines(case: dict[str, Any]) -> list[str]:
    match case["input"]:
        case {"prefix": str(prefix), "unit": str(unit), "n": int(times), "suffix": str(suffix)}:
            return [prefix + unit * times + suffix]
        case several:
            return list(several)


def read(*values: str) -> list[tuple[str, dict[str, str]]]:
    return [(scheme, params) for scheme, params, _ in parse_challenges(values)]


@pytest.mark.parametrize("case", VECTORS, ids=[case["name"] for case in VECTORS])
def test_the_collected_cases_are_read_as_they_should(case: dict[str, Any]) -> None:
    started = process_time()
    found = [[scheme, params] for scheme, params, _ in parse_challenges(lines(case))]

    assert process_time() - started < 1
    if case["challenges"] is not None:
        wanted = [[scheme, {name.lower(): value for name, value in ps.items()}] for scheme, ps in case["challenges"]]
        assert found == wanted
    elif case["name"] != "evil-commas":
        assert found == []


@pytest.mark.parametrize(
    ("line", "params"),
    [
        ('BASIC REALM="foo"', {"realm": "foo"}),
        ("Basic realm='foo'", {"realm": "'foo'"}),  # a single quote is a character of a token
        ('Basic , realm="foo"', {"realm": "foo"}),  # 1*SP, and then a list that begins with an empty element
        ('Basic ,,, , realm="foo" , , ', {"realm": "foo"}),
        ("Basic", {}),
        ("Basic , ,", {}),
        ('Basic realm = "foo"', {"realm": "foo"}),
        ('Basic realm\t= \t"foo"', {"realm": "foo"}),
        ('Basic\t realm="foo"', {"realm": "foo"}),
        ('   Basic    realm="foo"   ', {"realm": "foo"}),
        ('Basic realm="\\"foo\\""', {"realm": '"foo"'}),
        ('Basic realm="a\\\\b\\,c"', {"realm": "a\\b,c"}),
        ('Basic realm=""', {"realm": ""}),
        ('Basic bar="xyz", realm="foo"', {"bar": "xyz", "realm": "foo"}),
        ('Basic bar="xyz"\t,\trealm="foo"', {"bar": "xyz", "realm": "foo"}),
        ('Basic realm="foo-\xe4"', {"realm": "foo-\xe4"}),
        ('Basic realm="foo-\xc3\xa4"', {"realm": "foo-\xc3\xa4"}),
        ('Basic realm="a\tb"', {"realm": "a\tb"}),
        ('Basic foo="realm=nottherealm", realm="basic"', {"foo": "realm=nottherealm", "realm": "basic"}),
        ('Basic foo="x, realm=no, A b=c", realm="basic"', {"foo": "x, realm=no, A b=c", "realm": "basic"}),
        ('Basic foo="\\", realm=\\"no", realm="basic"', {"foo": '", realm="no', "realm": "basic"}),
        ("Basic !#$%&'*+-.^_`|~=!#$%&'*+-.^_`|~", {"!#$%&'*+-.^_`|~": "!#$%&'*+-.^_`|~"}),
    ],
)  # fmt: skip
def test_a_challenge_is_read_with_its_parameters(line: str, params: dict[str, str]) -> None:
    assert parse_challenges([line]) == [Challenge("basic", params)]


@pytest.mark.parametrize(
    "line",
    [
        'Basic, realm="foo"',
        "Basic realm=\\f\\o\\o",
        'Basic realm="basic',
        'Basic realm="basic\\"',
        'Basic realm="foo"bar',
        'Basic realm="foo" bar',
        'Basic realm="foo" bar="x"',
        'Basic realm="foo"; bar="x"',
        'Basic realm="foo", REALM="foo"',
        'Basic realm="foo", ="bar"',
        'Basic realm="foo", bar=',
        'Basic realm="foo", bar==',
        'Basic ="foo"',
        "Basic a=b=c",
        "Basic a/b=c",
        "Basic x y",
        "Basic foo, realm=bar",
        "Basic foo=, realm=bar",
        "Basic (realm=foo)",
        'Basic realm="a\x00b"',
        'Basic realm="a\x7fb"',
        'Basic realm="a\nb"',
        'Basic realm="a\\\x01b"',
        'Basic realm="\u20ac"',
        "Basic realm=\xe4",
        "B\xe4sic realm=x",
        'realm="foo"',
        'realm = "foo"',
        '"Basic realm=foo"',
        "=",
        "@",
        "",
        " \t ",
        ",",
    ],
)
def test_what_is_malformed_is_no_challenge(line: str) -> None:
    assert parse_challenges([line]) == []


@pytest.mark.parametrize(
    ("line", "schemes"),
    [
        ('Basic realm="basic", Newauth realm="newauth"', ["basic", "newauth"]),
        ('Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"', ["newauth", "basic"]),
        ("Negotiate,NTLM", ["negotiate", "ntlm"]),
        ("Negotiate , NTLM", ["negotiate", "ntlm"]),
        ("A a=1,B b=1,,C,D d=1", ["a", "b", "c", "d"]),
        ('Bad realm="x" y, Good realm="z"', ["good"]),
        ('Good realm="z", Bad realm="x" y', ["good"]),
        ("Bad @@@, Good a=b", ["good"]),
        ("A a=1, @, Good a=b", ["good"]),
        ("A a=1, a=2, b=3, Good a=b", ["good"]),
        ('Bad realm="a", realm="b, Evil x=y", Good a=b', ["good"]),
        ('Bad x="a"b"c, Evil x=y", Good a=b', ["good"]),
        ('Good a=b, Bad realm="never closed, Lost a=b', ["good"]),
        ('Bad x="\\"" y, Good a=b', ["good"]),
        ("Twice a=1, Twice a=2", ["twice", "twice"]),
        ("@, Good a=b", ["good"]),
        ("x=y, Good a=b", ["good"]),
    ],
)
def test_what_is_malformed_takes_nothing_else_with_it(line: str, schemes: list[str]) -> None:
    assert [challenge.scheme for challenge in parse_challenges([line])] == schemes


@pytest.mark.parametrize("token68", ["YWJj", "YWJjZA==", "a", "A-Z._~+/9=", "a=", "x===="])
def test_a_token68_stands_in_place_of_parameters(token68: str) -> None:
    assert parse_challenges([f"Negotiate {token68} , Basic a=b"]) == [
        Challenge("negotiate", {}, token68),
        Challenge("basic", {"a": "b"}),
    ]


def test_several_field_lines_are_read_in_order() -> None:
    headers = Headers([("WWW-Authenticate", 'Newauth realm="newauth"'), ("www-authenticate", "Basic realm=x, A")])

    assert read(*headers.get_all("www-authenticate")) == [
        ("newauth", {"realm": "newauth"}),
        ("basic", {"realm": "x"}),
        ("a", {}),
    ]


def test_a_challenge_ends_with_its_line() -> None:
    assert read('A a="never closed', "b=1, B c=1", "d=2", "C") == [("b", {"c": "1"}), ("c", {})]


UNITS = [
    ",",
    '"',
    "\\",
    "=",
    " ",
    "\t",
    ";",
    "a",
    "a ",
    "a,",
    "a=",
    "a=,",
    'a="',
    'a="b"',
    'a="b",',
    '\\"',
    '"\\',
    '","',
]
MORE = ["a=b,", "a =", "A a=b, ", "A b, ", '="', "'", "\x00", "\xe4", ", ", " ,", '"a', "a68== ", "=a", "==,", '\\",']


@pytest.mark.parametrize("unit", UNITS + MORE)
@pytest.mark.parametrize("prefix", ["", "Basic ", 'Basic a="', "Basic a=b "])
def test_whatever_is_repeated_takes_linear_time(prefix: str, unit: str) -> None:
    repeated = prefix + unit * 20_000

    started = process_time()
    parse_challenges(repeated + suffix for suffix in ("", '"', "\x00"))

    assert process_time() - started < 3  # three lines


@given(st.lists(st.tuples(TOKEN, st.dictionaries(TOKEN.map(str.lower), VALUE, max_size=4)), max_size=4))
@settings(deadline=None, max_examples=100)
def test_what_is_written_by_the_grammar_is_read_as_it_was_meant(meant: list[tuple[str, dict[str, str]]]) -> None:
    def quoted(text: str) -> str:
        return '"' + "".join("\\" + c if c in '"\\' else c for c in text) + '"'

    line = ",\t,".join(
        f"{scheme} " + " ,".join(f"{name} ={quoted(value)}" for name, value in params.items())
        for scheme, params in meant
    )

    assert read(line) == [(scheme.lower(), params) for scheme, params in meant]


@given(st.text('",=\\ \tab1/\x00\xe4', max_size=40))
@settings(deadline=None, max_examples=100)
def test_whatever_comes_nothing_is_raised(line: str) -> None:
    for challenge in parse_challenges([line, line]):
        assert challenge.scheme.isascii()
        assert not (challenge.params and challenge.token68)
