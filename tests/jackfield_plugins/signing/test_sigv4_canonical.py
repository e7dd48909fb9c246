"""AWS Signature Version 4 as functions: the published cases, what they leave out, and botocore as a second opinion."""

from __future__ import annotations

import hashlib
import hmac
import json
from calendar import timegm
from importlib import import_module
from pathlib import Path
from time import strptime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import Headers, Request, Secret, Url, UsageError
from jackfield_plugins.signing import AwsCredentials, Message
from jackfield_plugins.signing._sigv4_canonical import (
    Scope,
    canonical_request,
    encoded_path,
    signature,
    standard_path,
    string_to_sign,
    verbatim_path,
)
from jackfield_plugins.signing._sigv4_clock import timestamp
from jackfield_plugins.signing._sigv4_request import UNSIGNED_PAYLOAD, Signer

VECTORS = Path(__file__).parents[2] / "vectors"
SUITE: list[dict[str, Any]] = json.loads((VECTORS / "aws_sigv4.json").read_text())["cases"]
BOTOCORE_SUITE: dict[str, Any] = json.loads((VECTORS / "aws_sigv4_botocore_suite.json").read_text())
EMPTY = hashlib.sha256(b"").hexdigest()
KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEY_ID = "AKIDEXAMPLE"
MOMENT = "20150830T123600Z"
NOW = 1_440_938_160.0
SCOPE = Scope(MOMENT, "us-east-1", "service")
HOST = "example.amazonaws.com"


def message_of(request: dict[str, Any], *further: tuple[str, str]) -> Message:
    """A request of a suite, as it stands, with further headers."""
    path, mark, query = request["target"].partition("?")
    fields = [(name, value.strip()) for name, value in request["headers"]]
    host = next(value for name, value in fields if name.lower() == "host")
    return Message(request["method"], "https", host, path, query if mark else None, Headers([*fields, *further]))


def hashed(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def canonical(target: str = "/", *fields: tuple[str, str], path: Any = standard_path) -> list[str]:
    """The lines of the canonical request of a GET."""
    message = message_of({"method": "GET", "target": target, "headers": [("Host", HOST)]}, *fields)
    return canonical_request(message, EMPTY, path).split("\n")


# --- the published cases


@pytest.mark.parametrize("case", SUITE, ids=lambda case: case["name"])
def test_the_suite_of_aws_signed_in_the_header(case: dict[str, Any]) -> None:
    context, request = case["context"], case["request"]
    payload, token = hashed(request["body"]), context["credentials"].get("token")
    scope = Scope(MOMENT, context["region"], context["service"])
    further = [("X-Amz-Date", MOMENT)]
    further += [("X-Amz-Content-Sha256", payload)] if context["sign_body"] else []
    further += [("X-Amz-Security-Token", token)] if token and not context["omit_session_token"] else []

    found = canonical_request(
        message_of(request, *further), payload, standard_path if context["normalize"] else encoded_path
    )
    text = string_to_sign(found, scope)

    assert context["timestamp"] == "2015-08-30T12:36:00Z"
    assert found == case["header"]["canonical_request"]
    assert text == case["header"]["string_to_sign"]
    assert signature(text, scope, Secret(context["credentials"]["secret_access_key"])) == case["header"]["signature"]


@pytest.mark.parametrize("case", SUITE, ids=lambda case: case["name"])
def test_the_suite_of_aws_signed_in_the_query(case: dict[str, Any]) -> None:
    context, message = case["context"], message_of(case["request"])
    scope, token = Scope(MOMENT, context["region"], context["service"]), context["credentials"].get("token")
    names = ";".join(sorted({name.lower() for name in message.headers}))
    fields = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{KEY_ID}/{scope}",
        "X-Amz-Date": MOMENT,
        "X-Amz-SignedHeaders": names,
        "X-Amz-Expires": str(context["expiration_in_seconds"]),
    }
    fields |= {"X-Amz-Security-Token": token} if token else {}
    query = "&".join([message.query or "", *(f"{name}={quote(value, safe='')}" for name, value in fields.items())])

    found = canonical_request(
        message._replace(query=query),
        hashed(case["request"]["body"]),
        standard_path if context["normalize"] else encoded_path,
    )
    text = string_to_sign(found, scope)

    assert found == case["query"]["canonical_request"]
    assert text == case["query"]["string_to_sign"]
    assert signature(text, scope, Secret(KEY)) == case["query"]["signature"]


SENDABLE = [case for case in SUITE if case["context"]["normalize"] and " " not in case["request"]["target"]]


def pairs(query: str) -> list[tuple[str, str]]:
    parts = [piece.partition("=") for piece in query.split("&") if piece]
    return [(name, value) for name, _, value in parts]


def request_of(case: dict[str, Any]) -> Request:
    message = message_of(case["request"])
    query = pairs(message.query or "")
    url, body = Url.parse(f"https://{HOST}{message.path}"), case["request"]["body"].encode()
    return Request(message.method, url, query=query, headers=message.headers, body=body)


def signer_of(case: dict[str, Any]) -> Signer:
    context = case["context"]
    credentials = AwsCredentials(KEY_ID, KEY, context["credentials"].get("token"))
    signed_token = not context.get("omit_session_token", False)
    return Signer(credentials, context["region"], context["service"], context["sign_body"], signed_token)


@pytest.mark.parametrize("case", SENDABLE, ids=lambda case: case["name"])
def test_a_request_is_signed_as_the_suite_signs_it(case: dict[str, Any]) -> None:
    signed = signer_of(case).in_headers(request_of(case), hashed(case["request"]["body"]), NOW)

    _, _, rest = case["header"]["signed_request"].partition("Authorization:")
    assert signed.headers["authorization"] == rest.partition("\n")[0].strip()
    assert signed.headers["x-amz-date"] == MOMENT


@pytest.mark.parametrize("case", SENDABLE, ids=lambda case: case["name"])
def test_a_url_is_presigned_as_the_suite_presigns_it(case: dict[str, Any]) -> None:
    signed = signer_of(case).in_query(request_of(case), hashed(case["request"]["body"]), 3600, NOW)

    target = case["query"]["signed_request"].split(" ")[1]
    expected, found = dict(pairs(target.partition("?")[2])), dict(pairs(signed.target.partition("?")[2]))
    assert found == {quote(name, safe="%"): value for name, value in expected.items()}
    assert found["X-Amz-Signature"] == case["query"]["signature"]


@pytest.mark.parametrize("case", BOTOCORE_SUITE["cases"], ids=lambda case: case["name"])
def test_the_older_suite_of_aws(case: dict[str, Any]) -> None:
    constants = BOTOCORE_SUITE["constants"]
    scope = Scope(constants["date"], constants["region"], constants["service"])

    found = canonical_request(message_of(case["request"]), hashed(case["request"]["body"]))
    text = string_to_sign(found, scope)

    assert found == case["canonical_request"]
    assert text == case["string_to_sign"]
    assert case["authorization"].endswith(f"Signature={signature(text, scope, Secret(constants['secret_key']))}")


# --- what the published half leaves out


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/"),
        ("/", "/"),
        ("//", "/"),
        ("///", "/"),
        ("/.", "/"),
        ("/./", "/"),
        ("/..", "/"),
        ("/../", "/"),
        ("/../../a", "/a"),
        ("/./example", "/example"),
        ("/example/..", "/"),
        ("/example1/example2/../..", "/"),
        ("/a/b/..", "/a"),
        ("/a/b/../", "/a/"),
        ("/a/./b", "/a/b"),
        ("//example//", "/example/"),
        ("/a//b///c", "/a/b/c"),
        ("/a/...", "/a/..."),
        ("/.a/b..", "/.a/b.."),
        ("/ሴ", "/%E1%88%B4"),
        ("/example space/", "/example%20space/"),
        ("/a%20b", "/a%2520b"),
        ("/%E1%88%B4", "/%25E1%2588%25B4"),
        ("/a%2F..%2Fb", "/a%252F..%252Fb"),
        ("/a%2e%2E/b", "/a%252e%252E/b"),
        ("/a!$&'()*+,;=:@~-._", "/a%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40~-._"),
    ],
)
def test_a_path_is_normalised_and_encoded_once_more(path: str, expected: str) -> None:
    assert standard_path(path) == expected


@pytest.mark.parametrize("path", ["/", "//", "/a//b", "/a/./b/../c", "/a%20b", "/%2E%2E/x", "/a@b"])
def test_s3_signs_the_path_as_it_was_sent(path: str) -> None:
    assert canonical(path, path=verbatim_path)[1] == path


@pytest.mark.parametrize("path", ["//", "/./", "/example/..", "/example1/example2/../..", "//example//", "/./example"])
def test_a_path_may_be_encoded_without_being_normalised(path: str) -> None:
    assert canonical(path, path=encoded_path)[1] == path


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ""),
        ("Param1=value1", "Param1=value1"),
        ("Param1=", "Param1="),
        ("Param1", "Param1="),
        ("=value", "=value"),
        ("=", "="),
        ("a&&b", "a=&b="),
        ("Param2=value2&Param1=value1", "Param1=value1&Param2=value2"),
        ("Param1=value2&Param1=Value1", "Param1=Value1&Param1=value2"),
        ("Param1=value2&Param1=value1", "Param1=value1&Param1=value2"),
        ("b=1&B=2&a=3&A=4", "A=4&B=2&a=3&b=1"),
        ("a-b=1&a=2", "a=2&a-b=1"),  # by the name, not by the whole piece: "-" comes before "="
        ("a=b=c", "a=b%3Dc"),
        ("ሴ=bar", "%E1%88%B4=bar"),
        ("%E1%88%B4=b%20r", "%E1%88%B4=b%20r"),
        ("a=%c3%a9", "a=%C3%A9"),
        ("%61=%7E", "a=~"),
        ("a=1+1", "a=1%2B1"),
        ("a=%FF", "a=%FF"),
        ("b=%2F&b=-&b=A", "b=%2F&b=-&b=A"),  # sorted as encoded: "%" comes before "-"
        ("a b=c d", "a%20b=c%20d"),
        ("-._~0123456789ABCXYZabcxyz=-._~0123456789ABCXYZabcxyz",) * 2,
    ],
)
def test_a_query_is_encoded_and_sorted_by_name_then_value(query: str, expected: str) -> None:
    assert canonical(f"/?{query}")[2] == expected


def test_no_query_and_an_empty_one_are_the_same() -> None:
    assert canonical("/") == canonical("/?")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")], "value2,value2,value1"),
        ([("My-Header1", "value4"), ("my-header1", "value1"), ("MY-HEADER1", "value3")], "value4,value1,value3"),
        ([("My-Header1", '"a   b   c"')], '"a b c"'),
        ([("My-Header1", "a \t  b")], "a b"),
        ([("My-Header1", "VALUE1")], "VALUE1"),
        ([("My-Header1", "")], ""),
        ([("My-Header1", "a, b"), ("My-Header1", "c")], "a, b,c"),
        ([("My-Header1", "a\xa0\xa0b\x85")], "a\xa0\xa0b\x85"),  # no blanks of HTTP's
    ],
)
def test_a_header_is_trimmed_its_blanks_made_one_and_its_values_joined(
    fields: list[tuple[str, str]], expected: str
) -> None:
    assert f"my-header1:{expected}" in canonical("/", *fields)


def test_blanks_around_and_folded_lines_of_a_received_header_are_made_one_too() -> None:
    folded = Headers.received([("Host", HOST), ("My-Header1", " value1\r\n  value2\n     value3 "), ("b", "\t c\t")])

    lines = canonical_request(Message("GET", "https", HOST, "/", None, folded), EMPTY).split("\n")

    assert lines[3:6] == ["b:c", f"host:{HOST}", "my-header1:value1 value2 value3"]


def test_headers_are_named_in_lower_case_and_in_order() -> None:
    lines = canonical("/", ("Zebra", "1"), ("alpha", "2"), ("X-Amz-Date", MOMENT), ("X-Amz-", "3"))

    assert lines[3:] == [
        "alpha:2",
        f"host:{HOST}",
        "x-amz-:3",
        f"x-amz-date:{MOMENT}",
        "zebra:1",
        "",
        "alpha;host;x-amz-;x-amz-date;zebra",
        EMPTY,
    ]


def test_the_host_is_signed_though_no_header_names_it() -> None:
    lines = canonical_request(Message("GET", "https", "h:8443", "/", None, Headers()), EMPTY).split("\n")

    assert lines[3:6] == ["host:h:8443", "", "host"]


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "Connection", "User-Agent", "Accept-Encoding", "Expect", "Via", "X-Forwarded-For", "TE"),
        *("Transfer-Encoding", "Proxy-Authorization", "traceparent", "X-Amzn-Trace-Id", "Upgrade", "Keep-Alive"),
    ],
)
def test_what_changes_on_the_way_is_not_signed(name: str) -> None:
    assert canonical("/", (name, "x")) == canonical("/")


@pytest.mark.parametrize("name", ["Content-Type", "Content-MD5", "Range", "If-Match", "X-Amz-Meta-Colour", "Accept"])
def test_what_the_service_acts_upon_is_signed(name: str) -> None:
    assert f"{name.lower()}:x" in canonical("/", (name, "x"))


def test_a_header_that_is_not_ascii_is_digested_as_it_is_sent() -> None:
    text = string_to_sign("x-amz-meta:\xe9", SCOPE)

    assert text.endswith(hashlib.sha256(b"x-amz-meta:\xe9").hexdigest())


def test_the_key_is_derived_as_in_the_example_of_the_documentation() -> None:
    key = bytes.fromhex("f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d")

    found = signature("x", Scope("20120215T000000Z", "us-east-1", "iam"), Secret(KEY))

    assert found == hmac.digest(key, b"x", "sha256").hex()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "19700101T000000Z"),
        (NOW, MOMENT),
        (NOW + 0.999, MOMENT),
        (253_402_300_799, "99991231T235959Z"),
    ],
)
def test_a_time_is_written_in_utc_to_the_second(seconds: float, expected: str) -> None:
    assert timestamp(seconds) == expected


@pytest.mark.parametrize("seconds", [-1, -1e300, 253_402_300_800, 1e300, float("inf"), float("nan")])
def test_a_time_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(UsageError):
        timestamp(seconds)


def test_every_time_has_the_form_of_its_date() -> None:
    assert timegm(strptime(timestamp(1_700_000_000), "%Y%m%dT%H%M%SZ")) == 1_700_000_000


# --- a second opinion

SEGMENT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5).filter(
    lambda text: text not in (".", "..")
)
ODD_PATH = st.lists(st.sampled_from(["", ".", "..", "a", "b%20c", "%2F", "x@y", "~", "d;e=f"]), max_size=6).map(
    lambda parts: "/" + "/".join(parts)
)
PATH = st.one_of(
    st.lists(SEGMENT, max_size=4).map(lambda parts: "/" + "/".join(quote(part, safe="") for part in parts)), ODD_PATH
)
ORIGIN = st.sampled_from(["https://example.com", "http://example.com:443", "https://[::1]:9000", "http://h:80"])
NAMES = st.sampled_from(["X-Amz-Meta-A", "x-amz-meta-b", "Content-Type", "My-Header1", "my-header1", "Range"])
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8).map(str.strip)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
QUERY = st.lists(st.tuples(TEXT, TEXT), max_size=5)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    return Request(
        draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"])),
        Url.parse(draw(ORIGIN) + draw(PATH)),
        query=draw(QUERY),
        headers=Headers(draw(st.lists(st.tuples(NAMES, VALUES), max_size=5))),
        body=draw(st.binary(max_size=20)),
    )


SIGNERS = st.builds(
    Signer,
    st.builds(AwsCredentials, st.just(KEY_ID), st.just(KEY), st.sampled_from([None, "token/+=="])),
    st.sampled_from(["us-east-1", "eu-central-1"]),
    st.sampled_from(["execute-api", "iam", "s3"]),
    st.just(False),
    st.just(True),
)


def botocore_signs(kind: str, signer: Signer, request: Request, *further: int) -> tuple[str, Any]:
    """The signature by botocore, and the request it has made."""
    auth, awsrequest = import_module("botocore.auth"), import_module("botocore.awsrequest")
    token = signer.credentials.session_token
    credentials = import_module("botocore.credentials").Credentials(KEY_ID, KEY, token and token.reveal())
    theirs = awsrequest.AWSRequest(request.method, f"{request.url.origin}{request.target}", data=request.body)
    for name, value in request.headers.pairs():
        theirs.headers[name] = value  # adds
    theirs.context["timestamp"] = MOMENT
    by = getattr(auth, ("S3" if signer.is_s3 else "") + kind)(credentials, signer.service, signer.region, *further)
    by._modify_request_before_signing(theirs)
    return by.signature(by.string_to_sign(theirs, by.canonical_request(theirs)), theirs), theirs


def s3_sends_as_botocore(signer: Signer, request: Request) -> Request:
    """Botocore signs the path of S3 as it is given; it is given one that S3 would encode the same."""
    path = quote(request.url.path, safe="/%")
    return request.replace(url=Url(request.url.origin, path)) if signer.is_s3 else request


@given(signer=SIGNERS, request=requests())
@settings(deadline=None, max_examples=100)
def test_botocore_finds_the_same_signature(signer: Signer, request: Request) -> None:
    expected, _ = botocore_signs("SigV4Auth", signer, s3_sends_as_botocore(signer, request))

    assert isinstance(request.body, bytes)
    signed = signer.in_headers(request, hashlib.sha256(request.body).hexdigest(), NOW)

    assert signed.headers["authorization"].endswith(f"Signature={expected}")


# Botocore keeps one value of each name of a query that it presigns, and turns form bodies into queries.
@given(
    signer=SIGNERS,
    request=requests().map(
        lambda request: request.replace(query=list(dict(request.query).items()), body=b"", method="GET")
    ),
    seconds=st.integers(1, 604_800),
)
@settings(deadline=None, max_examples=100)
def test_botocore_presigns_the_same(signer: Signer, request: Request, seconds: int) -> None:
    expected, theirs = botocore_signs("SigV4QueryAuth", signer, s3_sends_as_botocore(signer, request), seconds)

    signed = signer.in_query(request, UNSIGNED_PAYLOAD if signer.is_s3 else EMPTY, seconds, NOW)

    assert dict(signed.query)["X-Amz-Signature"] == expected
    ours = sorted(signed.target.partition("?")[2].split("&"))
    assert ours == sorted([*theirs.url.partition("?")[2].split("&"), f"X-Amz-Signature={expected}"])
