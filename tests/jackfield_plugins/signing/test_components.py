"""Components and the signature base: the examples of RFC 9421 §2, and what cannot be covered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from time import thread_time
from typing import Any

import http_sf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import Headers, Request, Url, UsageError
from jackfield_plugins.signing import Component, Message, signature_base

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "rfc9421_message_signatures.json").read_text())
BLOCKS: dict[str, list[str]] = {part["section"]: part["blocks"] for part in VECTORS["component_examples_raw"]}


def message(text: str, scheme: str = "https") -> Message:
    """The message of a block, its lines as a lenient reader would take them."""
    start, _, head = text.replace("(SP)", " ").partition("\n\n")[0].partition("\n")
    fields: list[tuple[str, str]] = []
    for line in head.split("\n") if head else []:
        if line.startswith(" "):
            fields[-1] = (fields[-1][0], f"{fields[-1][1]}\r\n{line}")
        else:
            name, _, value = line.partition(":")
            fields.append((name, value))
    headers = Headers.received(fields)
    first, second, _ = start.split(" ", 2)
    if first.startswith("HTTP/"):
        return Message(status=int(second), headers=headers)
    if second.startswith("/"):
        return Message.received(first, f"{scheme}://{headers.get('host', 'h').strip()}{second}", headers)
    return Message(first, scheme, headers.get("host", "").strip(), headers=headers, target=second)


def fields(text: str) -> Message:
    """A request with these fields."""
    return message(f"GET / HTTP/1.1\n{text}")


def line(of: Message, component: str | Component, request: Message | None = None) -> str:
    """The line of a component in the signature base."""
    base = signature_base(of, [component], {}, request=request).decode()
    return base.removesuffix('\n"@signature-params": ' + base.rpartition('\n"@signature-params": ')[2])


def lines(block: str) -> list[str]:
    return block.replace("(SP)", " ").split("\n")


# --- §2.1, HTTP fields


def test_fields_are_trimmed_unfolded_and_joined() -> None:
    block, expected, empty, expected_empty = BLOCKS["2.1"]
    names = ["host", "date", "x-ows-header", "x-obs-fold-header", "cache-control", "example-dict"]

    assert [line(fields(block), name) for name in names] == lines(expected)
    assert line(fields(empty), "x-empty-header") == lines(expected_empty)[0]


def test_a_structured_field_may_be_covered_in_its_strict_form() -> None:
    block, loose, strict = BLOCKS["2.1.1"]

    assert line(fields(block), "example-dict") == loose
    assert line(fields(block), Component("example-dict", sf=True)) == strict


@pytest.mark.parametrize(
    ("value", "strict"),
    [
        ("a=1,  b=?0, c;x", "a=1, b=?0, c;x"),
        ("a=(1  2);q=1.50", "a=(1 2);q=1.5"),
        ("a, a=2", "a=2"),
        ('"x",   tok;a=:aGk:', '"x", tok;a=:aGk=:'),
        ("(a  b), ()", "(a b), ()"),
        ("@1659578233", "@1659578233"),
        ("  42;x=?1", "42;x"),
        ("-0.50", "-0.5"),
        ("text/html", "text/html"),
        ("a;x=1;y=2;x=3", "a;x=3;y=2"),
        ('%"f%c3%bc"', '%"f%c3%bc"'),
    ],
)
def test_the_strict_form_is_that_of_dictionaries_lists_and_items(value: str, strict: str) -> None:
    assert line(fields(f"x: {value}"), Component("x", sf=True)) == f'"x";sf: {strict}'


@pytest.mark.parametrize("value", ["a, a", "", "é", "1 2", "a=", '"', "a" * 20_000, "a,", "99999999999999999"])
def test_what_has_no_strict_form_or_several_cannot_be_covered_in_it(value: str) -> None:
    with pytest.raises(UsageError):
        line(Message(headers=Headers.received([("x", value)])), Component("x", sf=True))


def test_one_member_of_a_dictionary_may_be_covered() -> None:
    block, expected = BLOCKS["2.1.2"]

    assert [line(fields(block), Component("example-dict", key=key)) for key in "adbc"] == lines(expected)


def test_a_member_is_looked_for_in_every_line_and_the_last_one_counts() -> None:
    received = fields("x: a=1, b=2\nx: a=3;p, c;q=1")

    assert line(received, Component("x", key="a")) == '"x";key="a": 3;p'
    assert line(received, Component("x", key="b")) == '"x";key="b": 2'
    assert line(received, Component("x", key="c", sf=True)) == '"x";key="c";sf: ?1;q=1'


def test_a_member_that_is_missing_or_no_member_of_a_dictionary_cannot_be_covered() -> None:
    for value, key in (("a=1", "b"), ("a=1", "A"), ("(a)", "a"), ("a=1", "")):
        with pytest.raises(UsageError):
            line(fields(f"x: {value}"), Component("x", key=key))


def test_a_field_may_be_covered_byte_by_byte() -> None:
    two, one, joined, of_two, of_one = BLOCKS["2.1.3"]
    component = Component("example-header", bs=True)

    assert line(fields(two), "example-header") == line(fields(one), "example-header") == joined
    assert line(fields(two), component) == of_two
    assert line(fields(one), component) == of_one


def test_bytes_may_be_what_is_not_ascii() -> None:
    received = Message(headers=Headers({"x": "é"}))

    assert line(received, Component("x", bs=True)) == '"x";bs: :6Q==:'


def test_trailers_are_not_supported_and_that_is_said() -> None:
    received = message(BLOCKS["2.1.4"][0])

    assert [line(received, name) for name in ("@status", "trailer")] == lines(BLOCKS["2.1.4"][1])[:2]
    with pytest.raises(UsageError, match="trailers"):
        Component("expires", tr=True)


@pytest.mark.parametrize(
    "value", ["a\nb", "a\r\nb", "a\rb", "a\n", "é", "\u20ac", "a\x00", "a\x7f", "a\x0bb", "\ud800"]
)
def test_a_field_with_a_line_break_or_what_is_not_ascii_cannot_be_covered(value: str) -> None:
    with pytest.raises(UsageError, match="line break"):
        line(Message(headers=Headers.received([("x", value)])), "x")


@pytest.mark.parametrize(
    ("value", "unfolded"),
    [
        ("a\r\n b", "a b"),
        ("a \t\r\n\t b\n c ", "a b c"),
        ("\r\n a", "a"),
        ("a\r\n ", "a"),
        ("a\tb", "a\tb"),
        (" \ta\t ", "a"),
    ],
)
def test_folded_lines_become_one_with_a_blank_in_place_of_the_fold(value: str, unfolded: str) -> None:
    assert line(Message(headers=Headers.received([("x", value)])), "x") == f'"x": {unfolded}'


def test_a_field_that_is_missing_cannot_be_covered() -> None:
    with pytest.raises(UsageError, match="no field 'x-missing'"):
        line(fields("x: y"), "x-missing")


# --- §2.2, derived components


@pytest.mark.parametrize("section", ["2.2.1", "2.2.2", "2.2.3", "2.2.4", "2.2.5", "2.2.6", "2.2.7", "2.2.9"])
def test_derived_components_are_those_of_the_rfc(section: str) -> None:
    blocks = list(BLOCKS[section])
    if section == "2.2.7":  # "?" and its line belong to a request that is not in the block
        blocks[6:6] = ["GET /path HTTP/1.1\nHost: www.example.com"]
    for text, value, expected in zip(blocks[::3], blocks[1::3], blocks[2::3], strict=True):
        name = expected.split('"')[1]

        assert line(message(text, "http" if section == "2.2.4" else "https"), name) == f'"{name}": {value}' == expected


def test_query_parameters_are_decoded_and_encoded_again() -> None:
    first, expected_first, second, expected_second, _ = BLOCKS["2.2.8"]

    assert [line(message(first), Component("@query-param", name=name)) for name in ("baz", "qux", "param")] == lines(
        expected_first
    )
    assert [
        line(message(second), Component("@query-param", name=name)) for name in ("var", "bar", "fa%C3%A7ade%22%3A%20")
    ] == lines(expected_second)


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("a=%7e~!*'()-._", "a", "%7E%7E%21*%27%28%29-._"),  # the percent-encode set of forms, not of RFC 3986
        ("a%2Bb=c%2bd", "a%2Bb", "c%2Bd"),
        ("a=%ff", "a", "%EF%BF%BD"),  # what is not UTF-8 is decoded to U+FFFD
        ("a=b=c&&=x", "a", "b%3Dc"),
        ("a=b=c&&=x", "", "x"),
        ("a", "a", ""),
        ("a;b=c", "a%3Bb", "c"),
        ("%E4%BD%A0=%e5%a5%bd", "%E4%BD%A0", "%E5%A5%BD"),
    ],
)
def test_a_query_parameter_is_read_as_a_form_is(query: str, name: str, value: str) -> None:
    received = Message("GET", "https", "h", "/", query)

    assert line(received, Component("@query-param", name=name)) == f'"@query-param";name="{name}": {value}'


@pytest.mark.parametrize("query", ["a=1&a=2", "a&a", "a=1&%61=1", "b=1", "", None])
def test_a_query_parameter_that_occurs_twice_or_never_cannot_be_covered(query: str | None) -> None:
    with pytest.raises(UsageError, match="not one"):
        line(Message("GET", "https", "h", "/", query), Component("@query-param", name="a"))


@pytest.mark.parametrize("name", ["a b", "a+b", "%c3%a9", "~", "a&b", "a=b", "%41", "a%"])
def test_a_query_parameter_is_named_in_its_encoded_form(name: str) -> None:
    with pytest.raises(UsageError, match="percent-encoded"):
        Component("@query-param", name=name)


@pytest.mark.parametrize(
    ("scheme", "authority", "expected"),
    [
        ("https", "Example.COM", "example.com"),
        ("https", "example.com:443", "example.com"),
        ("HTTPS", "example.com:443", "example.com"),
        ("http", "example.com:80", "example.com"),
        ("http", "example.com:443", "example.com:443"),
        ("https", "example.com:8443", "example.com:8443"),
        ("https", "example.com:", "example.com"),
        ("https", "[2001:DB8::1]:443", "[2001:db8::1]"),
        ("https", "[::443]", "[::443]"),
    ],
)
def test_the_authority_is_in_lower_case_and_without_the_schemes_own_port(
    scheme: str, authority: str, expected: str
) -> None:
    assert line(Message("GET", scheme, authority), "@authority") == f'"@authority": {expected}'


def test_what_is_empty_or_absent_has_its_own_form() -> None:
    bare = Message("GET", "HTTPS", "h", "")

    assert line(bare, "@path") == '"@path": /'
    assert line(bare, "@query") == '"@query": ?'
    assert line(bare._replace(query=""), "@query") == '"@query": ?'
    assert line(bare, "@scheme") == '"@scheme": https'
    assert line(bare, "@request-target") == '"@request-target": /'
    assert line(bare._replace(query=""), "@request-target") == '"@request-target": /?'
    assert line(bare._replace(scheme="https", query="a"), "@target-uri") == '"@target-uri": https://h/?a'


def test_a_request_that_goes_out_has_the_components_of_the_one_that_comes_in() -> None:
    url = Url.parse("https://H:8443/a%20b")
    out = Message.of(Request("GET", url, query=[("é", " +")], headers={"x": "y"}))
    received = Message.received("GET", "https://h:8443/a%20b?%C3%A9=%20%2B", Headers({"x": "y"}))
    names = ["@method", "@authority", "@scheme", "@target-uri", "@request-target", "@path", "@query", "x"]

    assert signature_base(out, names, {}) == signature_base(received, names, {})


@pytest.mark.parametrize("name", ["@method", "@authority", "@path", "@query", "@scheme"])
@pytest.mark.parametrize("value", ["a\nb", "é", "a\tb\r"])
def test_a_derived_value_with_a_line_break_cannot_be_covered(name: str, value: str) -> None:
    received = Message(value, value, value, value, value)

    with pytest.raises(UsageError, match="line break"):
        line(received, name)


# --- §2.4, responses


def test_a_response_may_cover_its_request() -> None:
    request, response, expected = BLOCKS["2.4"][:3]
    parts = ["@status", "content-digest", "content-type"]
    asked = [Component(name, req=True) for name in ("@authority", "@method", "@path", "content-digest")]

    base = signature_base(
        message(response),
        [*parts, *asked],
        {"created": 1618884479, "keyid": "test-key-ecc-p256"},
        request=message(request),
    )

    assert base.decode() == expected


def test_parameters_of_the_request_keep_their_order() -> None:
    request, response = fields("x: a=1"), Message(status=200)

    assert line(response, Component("x", key="a", req=True), request) == '"x";key="a";req: 1'
    assert line(response, Component("x", req=True, key="a"), request) == '"x";req;key="a": 1'


@pytest.mark.parametrize(
    ("of", "component", "request_"),
    [
        (Message(status=200), Component("@method", req=True), None),
        (Message("GET"), Component("@method", req=True), Message("GET")),
        (Message(status=200), Component("@method"), Message("GET")),
        (Message(status=200), Component("@query-param", name="a"), Message("GET", query="a=1")),
        (Message("GET"), Component("@status"), None),
    ],
)
def test_components_of_the_wrong_side_cannot_be_covered(
    of: Message, component: Component, request_: Message | None
) -> None:
    with pytest.raises(UsageError):
        line(of, component, request_)


# --- §2.5, the base


def test_the_base_is_that_of_the_rfc() -> None:
    request = message(BLOCKS["2.5"][1])
    names = ["@method", "@authority", "@path", "content-digest", "content-length", "content-type"]

    base = signature_base(request, names, {"created": 1618884473, "keyid": "test-key-rsa-pss"})

    # RFC 9421 §2.5, figure 1
    assert base.decode().split("\n") == [
        '"@method": POST',
        '"@authority": example.com',
        '"@path": /foo',
        '"content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWX'
        "vJwew==:",
        '"content-length": 18',
        '"content-type": application/json',
        '"@signature-params": ("@method" "@authority" "@path" "content-digest" "content-length" "content-type")'
        ';created=1618884473;keyid="test-key-rsa-pss"',
    ]


def test_the_parameters_stand_as_they_were_given() -> None:
    block = BLOCKS["2.3"][0]
    request = fields("host: h\ndate: d\ncache-control: c")
    parameters = {"keyid": "test-key-rsa-pss", "alg": "rsa-pss-sha512", "created": 1618884475, "expires": 1618884775}

    base = signature_base(request, ["@target-uri", "@authority", "date", "cache-control"], parameters)

    assert base.decode().endswith(f'\n"@signature-params": {block}')


@pytest.mark.parametrize(
    "twice",
    [
        ["@method", "@method"],
        ["x", Component("x")],
        [Component("x", key="a", req=True), Component("x", req=True, key="a")],
    ],
)
def test_a_component_is_covered_once(twice: list[str | Component]) -> None:
    with pytest.raises(UsageError, match="twice"):
        signature_base(Message(status=200), twice, {}, request=fields("x: a=1"))


def test_the_same_field_may_be_covered_in_different_ways() -> None:
    components = [Component("x"), Component("x", key="a"), Component("x", key="b"), Component("x", sf=True)]

    assert signature_base(fields("x: a=1,b=2"), components, {}).decode().split("\n")[:4] == [
        '"x": a=1,b=2',
        '"x";key="a": 1',
        '"x";key="b": 2',
        '"x";sf: a=1, b=2',
    ]


# --- identifiers


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("@signature-params", {}),
        ("@unknown", {}),
        ("@Method", {}),
        ("Content-Type", {}),
        ("", {}),
        ("a b", {}),
        ('a"b', {}),
        ("x\n", {}),
        (None, {}),
        ([], {}),
        ("@method", {"key": "a"}),
        ("@method", {"sf": True}),
        ("@method", {"name": "a"}),
        ("@status", {"req": True}),
        ("@query-param", {}),
        ("@query-param", {"name": True}),
        ("@query-param", {"name": "a", "bs": True}),
        ("x", {"name": "a"}),
        ("x", {"unknown": True}),
        ("x", {"sf": False}),
        ("x", {"sf": 1}),
        ("x", {"key": True}),
        ("x", {"key": "é"}),
        ("x", {"key": b"a"}),
        ("x", {"bs": True, "sf": True}),
        ("x", {"bs": True, "key": "a"}),
        ("x", {"req": "yes"}),
    ],
)
def test_an_identifier_that_cannot_be_is_refused_when_it_is_made(name: Any, parameters: Mapping[str, Any]) -> None:
    with pytest.raises(UsageError):
        Component(name, **parameters)


def test_an_identifier_reads_as_on_the_wire() -> None:
    component = Component("example-dict", key='a"', req=True)

    assert str(component) == r'"example-dict";key="a\"";req'
    assert repr(component) == r'Component("example-dict";key="a\"";req)'
    assert (component.name, component.parameters) == ("example-dict", {"key": 'a"', "req": True})


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12) | st.text('\\"', max_size=4))
@settings(deadline=None, max_examples=100)
def test_an_identifier_is_written_as_a_structured_field_is(key: str) -> None:
    parameters: dict[str, Any] = {"key": key, "req": True}

    assert str(Component("x", **parameters)) == http_sf.ser(("x", parameters))


def test_identifiers_are_values_whatever_the_order_of_their_parameters() -> None:
    one, other = Component("x", key="a", req=True), Component("x", req=True, key="a")

    assert one == other
    assert len({one, other, Component("x")}) == 2
    assert one != Component("x", key="b", req=True)
    assert one != Component("y", key="a", req=True)
    assert one != "x"
    component = Component("x", key="a")
    component.parameters.clear()
    assert component.parameters == {"key": "a"}


def test_several_components_are_no_string() -> None:
    with pytest.raises(UsageError, match="tuple"):
        signature_base(Message("GET"), "@method", {})


# --- hostile


@given(
    st.text(max_size=30) | st.text("a=1,;() \t\"'?:@%\\*.-0b", max_size=30),
    st.sampled_from([{}, {"sf": True}, {"key": "a"}, {"bs": True}]),
)
@settings(deadline=None, max_examples=100)
def test_whatever_a_field_holds_it_is_one_line_or_a_usage_error(value: str, parameters: Mapping[str, Any]) -> None:
    received = Message(headers=Headers.received([("x", value)]))

    try:
        found = line(received, Component("x", **parameters))
    except UsageError:
        return

    assert "\n" not in found
    assert found.isascii()


@pytest.mark.parametrize(
    "value",
    [
        "a" * 200_000,
        " \t" * 100_000,
        "a " * 100_000 + "\n",
        "\r\n " * 60_000,
        "a;b" * 60_000,
        "(" * 200_000,
        ":" * 200_000,
    ],
)
def test_long_fields_take_linear_time(value: str) -> None:
    received = Message("GET", "https", "h", "/", value, Headers.received([("x", value)]))
    began = thread_time()

    for component in (Component("x"), Component("x", sf=True), Component("x", key="a"), Component("x", bs=True)):
        try:
            line(received, component)
        except UsageError:
            pass
    try:
        line(received, Component("@query-param", name="a"))
    except UsageError:
        pass

    assert thread_time() - began < 2


def test_many_components_of_one_field_and_query_parse_it_once() -> None:
    keys = [f"k{number}" for number in range(1500)]
    received = Message("GET", query="&".join(f"{key}=1" for key in keys), headers=Headers({"x": ", ".join(keys)}))
    began = thread_time()

    signature_base(received, [Component("x", key=key) for key in keys], {})
    signature_base(received, [Component("@query-param", name=key) for key in keys], {})

    assert thread_time() - began < 2
