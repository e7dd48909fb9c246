"""Digest: right by the RFCs' figures and by a server that checks from scratch; never for anybody but the service."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pickle import dumps
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import Make, both, get, makers
from tests.servers.digest import DigestServer, digest

from jackfield import (
    ConnectionLostError,
    Headers,
    Request,
    Response,
    Secret,
    Service,
    StreamBody,
    UnauthorizedError,
    Url,
    UsageError,
    operation,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import Challenge, Digest, parse_challenges
from jackfield_plugins.auth._digest_answer import Session, answer
from jackfield_plugins.auth._digest_offer import Offer, next_nonce, strongest_offer
from jackfield_plugins.auth._digest_session import Sessions
from jackfield_plugins.retry import Retry

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "rfc7616_digest_auth.json").read_text())
CANARY = "hunter2-canary"
ALGORITHMS = [None, "MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"]
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)


class Core(Service):
    @operation
    async def send_it(self, /, *path: str, method: str = "GET", url: Url | None = None, **given: Any) -> bytes:
        return (await self.send(Request(method, url or self.url("thing", *path), **given))).content


sync_client, async_client = makers(Core, base="https://h:8443")
BOTH = both(sync_client, async_client)


def mufasa() -> Digest:
    return Digest("Mufasa", "Circle of Life")


def offer(**params: str) -> Offer | None:
    return Offer.of(Challenge("digest", {"realm": "r", "nonce": "n", **params}))


def field(header: str, name: str) -> str:
    match = re.search(rf'(?<![a-z]){name}="?([^",]*)', header)
    assert match
    return str(match[1])


# --- the figures


@pytest.mark.parametrize("case", VECTORS["cases"], ids=[case["name"] for case in VECTORS["cases"]])
def test_the_figures_of_the_rfcs(case: dict[str, Any]) -> None:
    found = Offer.of(Challenge("digest", case["challenge"]))
    assert found is not None
    session = Session(found, case.get("cnonce", ""), found.nonce)

    header = answer(
        session,
        case["username"],
        case["password"],
        method=case["method"],
        uri=case["uri"],
        count=int(case.get("nc", "1"), 16),
        cnonce=case.get("cnonce", ""),
    )

    assert field(header, "response") == case["response"]
    assert field(header, "username") == case.get("userhash", case["username"])
    assert ("qop=auth, nc=00000001" in header) == (case["qop"] == "auth")


def test_the_example_of_rfc_2617() -> None:
    [challenge] = parse_challenges(
        [
            'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
            'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
        ]
    )
    found = Offer.of(challenge)
    assert found is not None

    header = answer(
        Session(found, "", found.nonce),
        "Mufasa",
        "Circle Of Life",
        method="GET",
        uri="/dir/index.html",
        count=1,
        cnonce="0a4f113b",
    )

    assert header == (
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'uri="/dir/index.html", response="6629fae49393a05397450978507c4ef1", qop=auth, nc=00000001, '
        'cnonce="0a4f113b", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )


def test_the_strongest_hash_is_chosen_whatever_the_order() -> None:
    choice = VECTORS["challenge_choice"]["www_authenticate"]
    rest = 'Digest realm="r", nonce="n", qop="auth"'

    for lines in (choice, choice[::-1], [", ".join(choice)]):
        found = strongest_offer(lines)
        assert found is not None
        assert found.algorithm == "SHA-256"
    for strong in ("SHA-512-256", "sha-512-256-SESS"):
        found = strongest_offer([f"{rest}, algorithm=SHA-256, {rest}, {rest}, algorithm={strong}", *choice])
        assert found is not None
        assert found.algorithm == strong


def test_of_equals_the_first_is_chosen() -> None:
    rest = 'Digest realm="r", qop="auth", algorithm=SHA-256, nonce='

    found = strongest_offer([f"{rest}a", f"{rest}b"])

    assert found is not None
    assert found.nonce == "a"


def test_a_hash_that_this_machine_does_not_have_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "algorithms_available", {"md5", "sha256"})
    rest = 'Digest realm="r", nonce="n", qop="auth", algorithm='

    found = strongest_offer([f"{rest}SHA-512-256", f"{rest}SHA-256"])

    assert found is not None
    assert found.algorithm == "SHA-256"
    assert strongest_offer([f"{rest}SHA-512-256"]) is None


@pytest.mark.parametrize(
    "params",
    [
        {"algorithm": "none"},
        {"algorithm": ""},
        {"algorithm": "-sess"},
        {"algorithm": "SHA-1"},
        {"algorithm": "SHA-512"},
        {"algorithm": "SHA-256-sess-sess"},
        {"algorithm": "MD5, SHA-256"},
        {"algorithm": "sha256"},
        {"qop": ""},
        {"qop": "auth-conf"},
        {"qop": "authx, auth int"},
        {"algorithm": "MD5-sess"},  # which has no qop here
        {"realm": "x" * 4097},
        {"nonce": "x" * 4097},
        {"opaque": "x" * 4097},
    ],
)
def test_a_challenge_without_a_right_answer_is_not_answered(params: dict[str, str]) -> None:
    assert offer(**params) is None


def test_what_is_no_whole_digest_challenge_is_not_answered() -> None:
    assert Offer.of(Challenge("digest", {"realm": "r"})) is None
    assert Offer.of(Challenge("digest", {"nonce": "n"})) is None
    assert Offer.of(Challenge("digest", {}, "abc")) is None
    assert Offer.of(Challenge("basic", {"realm": "r", "nonce": "n"})) is None
    assert strongest_offer([]) is None


@pytest.mark.parametrize(
    ("qop", "chosen"),
    [("auth", "auth"), ("auth-int", "auth-int"), ("auth-int,auth", "auth"), (" x ,\tAUTH-INT\t,,", "auth-int")],
)
def test_auth_is_chosen_before_auth_int(qop: str, chosen: str) -> None:
    found = offer(qop=qop)

    assert found is not None
    assert found.qop == chosen


def test_words_of_a_challenge_are_read_whatever_their_case() -> None:
    found = offer(algorithm="sha-256-SESS", qop="Auth", stale="True", userhash="TRUE", charset="utf-8")

    assert found is not None
    assert found == Offer("r", "n", None, "sha-256-SESS", "auth", userhash=True, utf8=True, stale=True)
    assert (found.hash, found.has_session_key) == ("SHA-256", True)


def test_what_was_not_offered_is_not_sent_back() -> None:
    found = offer()
    assert found is not None

    header = answer(Session(found, "", "n"), "u", "p", method="GET", uri="/", count=1, cnonce="c")

    response = digest(None, digest(None, "u", "r", "p"), "n", digest(None, "GET", "/"))
    assert header == f'Digest username="u", realm="r", nonce="n", uri="/", response="{response}"'


def test_md5_is_spoken_where_policy_keeps_it_from_security(monkeypatch: pytest.MonkeyPatch) -> None:
    found, new = offer(), hashlib.new
    assert found is not None

    def strict(name: str, data: bytes = b"", *, usedforsecurity: bool = True) -> Any:
        if usedforsecurity:
            raise ValueError("disabled for FIPS")
        return new(name, data, usedforsecurity=False)

    monkeypatch.setattr(hashlib, "new", strict)
    assert found.digest("a", "b") == hashlib.md5(b"a:b").hexdigest()


@pytest.mark.parametrize(
    ("value", "nonce"),
    [
        ('nextnonce="a\\"b"', 'a"b'),
        ('qop=auth, NextNonce = x, rspauth="1"', "x"),
        ('nextnonce=""', None),
        ("nextnonce=" + "x" * 4096, "x" * 4096),
        ("nextnonce=" + "x" * 4097, None),
        ('nextnonce="never closed', None),
        ("nextnonce=a, nextnonce=b", None),
        ("rspauth=1", None),
        ("", None),
        ("abc", None),
        ("rspauth=1, Digest nextnonce=x", None),
    ],
)
def test_the_next_nonce_is_read_from_authentication_info(value: str, nonce: str | None) -> None:
    assert next_nonce(Headers.received([("authentication-info", value)])) == nonce
    assert next_nonce(Headers()) is None


@pytest.mark.parametrize(
    ("user", "charset", "shown"),
    [
        ('a"\\b:c', "UTF-8", 'username="a\\"\\\\b:c"'),
        ("J\xe4s\xf8n", "", 'username="J\xe4s\xf8n"'),  # in latin-1, where nothing was said
        ("J\xe4s\xf8n", "utf-8", "username*=UTF-8''J%C3%A4s%C3%B8n"),
        ("\u20ac 'x'*%(!~", "", "username*=UTF-8''%E2%82%AC%20%27x%27%2A%25%28!~"),
        ("", "UTF-8", 'username=""'),
    ],
)
def test_a_name_goes_as_the_server_can_read_it(user: str, charset: str, shown: str) -> None:
    found = offer(charset=charset)
    assert found is not None

    header = answer(Session(found, "", "n"), user, "p", method="GET", uri="/", count=1, cnonce="c")

    assert header.startswith(f"Digest {shown}, realm=")


# --- the plugin, and a server that checks


@BOTH
@pytest.mark.parametrize("qop", ["auth", "auth-int", "auth-int, auth"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_challenge_is_answered_and_the_nonce_used_from_then_on(make: Make, algorithm: str | None, qop: str) -> None:
    server = DigestServer(algorithm, qop=qop)
    transport = FakeTransport(otherwise=server)
    client = make(transport, mufasa())

    for _ in range(3):
        assert get(client.send_it(method="POST", body=b"body", query={"a": "\xe9 &"})) == b"let in"

    assert server.wrong == []
    assert len(transport.requests) == 4
    assert [fields["nc"] for fields in server.right] == ["00000001", "00000002", "00000003"]
    assert len({fields["nonce"] for fields in server.right}) == 1
    assert len({fields["cnonce"] for fields in server.right}) == (1 if (algorithm or "").endswith("-sess") else 3)
    assert all(len(fields["cnonce"]) == 32 for fields in server.right)
    assert {request.body for request in transport.requests} == {b"body"}


@BOTH
@pytest.mark.parametrize("algorithm", [None, "MD5", "SHA-256"])
def test_a_challenge_without_qop_is_answered_as_rfc_2069_says(make: Make, algorithm: str | None) -> None:
    server = DigestServer(algorithm, qop=None)
    client = make(FakeTransport(otherwise=server), mufasa())

    assert [get(client.send_it()), get(client.send_it())] == [b"let in"] * 2
    assert server.wrong == []


@BOTH
@pytest.mark.parametrize("userhash", [True, False])
@pytest.mark.parametrize("charset", [True, False])
@pytest.mark.parametrize("user", ["Mufasa", "J\xe4s\xf8n", "e\u0301", "\u65e5\u672c", 'a"\\:b', ""])
def test_a_name_of_any_letters_is_let_in(make: Make, user: str, charset: bool, userhash: bool) -> None:
    server = DigestServer(
        user=user, password="p\xe4ss: \U0001f511"[: 6 + 2 * charset], charset=charset, userhash=userhash
    )
    client = make(FakeTransport(otherwise=server), Digest(user, "p\xe4ss: \U0001f511"[: 6 + 2 * charset]))

    assert get(client.send_it()) == b"let in"


@given(
    user=TEXT,
    password=TEXT,
    realm=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]) | st.just("\t"), max_size=6),
    path=st.lists(TEXT.filter(lambda text: text not in ("", ".", "..")), max_size=3),
    query=st.lists(st.tuples(TEXT, TEXT), max_size=3),
    body=st.binary(max_size=20),
    algorithm=st.sampled_from(ALGORITHMS),
    qop=st.sampled_from(["auth", "auth-int"]),
    method=st.sampled_from(["GET", "POST", "DELETE", "X-Y"]),
    charset=st.booleans(),
    userhash=st.booleans(),
)
@settings(deadline=None, max_examples=100)
def test_whatever_is_sent_a_server_that_checks_lets_it_in(
    user: str, password: str, realm: str, path: list[str], query: list[tuple[str, str]], body: bytes,
    algorithm: str | None, qop: str, method: str, charset: bool, userhash: bool,
) -> None:  # fmt: skip
    server = DigestServer(
        algorithm, qop=qop, user=user, password=password, realm=realm, charset=charset, userhash=userhash
    )
    client = sync_client(FakeTransport(otherwise=server), Digest(user, password))

    for _ in range(2):
        assert client.send_it(*path, method=method, query=query, body=body) == b"let in"
    assert server.wrong == []


@BOTH
def test_an_announced_nonce_is_used_at_once_and_counted_from_one(make: Make) -> None:
    server = DigestServer("SHA-256", "SHA-256-sess", announces=2)
    transport = FakeTransport(otherwise=server)
    client = make(transport, mufasa())

    for _ in range(5):
        get(client.send_it())

    assert server.wrong == []
    assert len(transport.requests) == 6
    assert [int(fields["nc"], 16) for fields in server.right] == [1, 2, 1, 2, 1]


@BOTH
def test_the_key_of_a_session_outlives_its_nonce(make: Make) -> None:
    server = DigestServer("SHA-256-sess", announces=1)
    transport = FakeTransport(otherwise=server)
    client = make(transport, mufasa())

    for _ in range(4):
        get(client.send_it())

    assert (server.wrong, len(transport.requests)) == ([], 5)
    assert len({fields["nonce"] for fields in server.right}) == 4
    assert len({fields["cnonce"] for fields in server.right}) == 1


@BOTH
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256-sess"])
def test_a_stale_nonce_gives_one_more_try(make: Make, algorithm: str) -> None:
    server = DigestServer(algorithm, uses=2)
    transport = FakeTransport(otherwise=server)
    client = make(transport, mufasa())

    for _ in range(5):
        assert get(client.send_it()) == b"let in"

    assert server.wrong == ["stale", "stale"]
    assert len(transport.requests) == 1 + 5 + 2


def challenge(nonce: str = "n", **params: str) -> Response:
    rest = "".join(f', {name}="{value}"' for name, value in params.items())
    return Response(401, {"WWW-Authenticate": f'Digest realm="r", nonce="{nonce}", qop="auth"{rest}'})


STALE = challenge(stale="true")
WRONG = challenge()
FINE = Response(200)


@BOTH
@pytest.mark.parametrize(
    ("answers", "sent"),
    [
        ([WRONG, WRONG], 2),
        ([WRONG, STALE, WRONG], 3),
        ([WRONG, challenge(stale="TRUE"), WRONG], 3),
        ([WRONG, STALE, STALE], 3),
        ([STALE, STALE, STALE], 3),
        ([STALE, WRONG], 2),
        ([WRONG, challenge(stale="maybe")], 2),
        ([WRONG, Response(401)], 2),
        ([Response(401)], 1),
        ([FINE, STALE, STALE, STALE], 4),
        ([WRONG, FINE, STALE, STALE, STALE], 5),
        ([WRONG, FINE, WRONG, WRONG], 4),
        ([WRONG, FINE, WRONG, STALE, WRONG], 5),
    ],
)
def test_a_server_that_is_never_content_is_given_up(make: Make, answers: list[Response], sent: int) -> None:
    transport = FakeTransport(answers)
    client = make(transport, mufasa())

    if FINE in answers:
        get(client.send_it())
    with pytest.raises(UnauthorizedError):
        get(client.send_it())

    assert len(transport.requests) == sent


@BOTH
def test_what_was_rejected_is_not_sent_again_unasked(make: Make) -> None:
    transport = FakeTransport([WRONG, FINE, WRONG, WRONG, FINE])
    client = make(transport, mufasa())

    get(client.send_it())
    with pytest.raises(UnauthorizedError):
        get(client.send_it())
    get(client.send_it())

    assert ["authorization" in request.headers for request in transport.requests] == [False, True, True, True, False]


@BOTH
def test_a_stale_nonce_is_replaced_for_the_calls_to_come_even_if_this_one_ends(make: Make) -> None:
    transport = FakeTransport([WRONG, FINE, challenge("n2", stale="true"), FINE])
    client = make(transport, mufasa())

    get(client.send_it())
    with pytest.raises(UnauthorizedError):
        get(client.send_it(method="POST", body=StreamBody.once([b"x"])))
    get(client.send_it(method="POST", body=StreamBody.once([b"x"])))

    assert 'nonce="n2"' in transport.requests[-1].headers["authorization"]
    assert len(transport.requests) == 4


@BOTH
def test_a_nonce_that_comes_back_is_counted_on(make: Make) -> None:
    back = Response(200, {"authentication-info": "nextnonce=n"})
    away = Response(200, {"authentication-info": "nextnonce=m"})
    transport = FakeTransport([WRONG, away, back, challenge("n"), back, FINE])
    client = make(transport, mufasa())

    for _ in range(4):
        get(client.send_it())

    uses = [request.headers.get("authorization", "") for request in transport.requests[1:]]
    assert [(field(use, "nonce"), field(use, "nc")) for use in uses] == [
        ("n", "00000001"),
        ("m", "00000001"),
        ("n", "00000002"),
        ("n", "00000003"),
        ("n", "00000004"),
    ]


@BOTH
def test_each_attempt_of_a_retried_call_is_counted(make: Make) -> None:
    transport = FakeTransport([WRONG, ConnectionLostError("gone"), Response(503), FINE])

    get(make(transport, mufasa(), Retry(max_attempts=5)).send_it())

    uses = [request.headers.get("authorization") for request in transport.requests]
    assert [use and field(use, "nc") for use in uses] == [None, "00000001", None, None]


# --- whom it answers


@BOTH
def test_nothing_but_digest_is_answered(make: Make) -> None:
    transport = FakeTransport([Response(401, {"www-authenticate": 'Basic realm="r", Bearer, Digest realm="no nonce"'})])

    with pytest.raises(UnauthorizedError):
        get(make(transport, mufasa()).send_it())

    assert len(transport.requests) == 1


@BOTH
def test_no_other_origin_is_answered_or_told(make: Make) -> None:
    transport = FakeTransport([WRONG, FINE], otherwise=WRONG)
    client = make(transport, mufasa())
    get(client.send_it())

    for other in ("https://h/thing", "http://h:8443/thing", "https://h.evil.test:8443/thing", "https://sub.h:8443/"):
        with pytest.raises(UnauthorizedError):
            get(client.send_it(url=Url.parse(other)))

    assert [request.headers.get("authorization") for request in transport.requests[2:]] == [None] * 4


@BOTH
@pytest.mark.parametrize("status", [400, 403, 407, 500])
def test_nothing_but_a_401_is_answered(make: Make, status: int) -> None:
    fields = [(f"{who}-Authenticate", 'Digest realm="r", nonce="n", qop="auth"') for who in ("WWW", "Proxy")]
    transport = FakeTransport([Response(status, fields)])

    with pytest.raises(Exception, match=str(status)):
        get(make(transport, mufasa()).send_it())

    assert len(transport.requests) == 1


@BOTH
def test_a_challenge_to_a_proxy_is_none_to_us(make: Make) -> None:
    transport = FakeTransport([Response(401, {"proxy-authenticate": 'Digest realm="r", nonce="n", qop="auth"'})])

    with pytest.raises(UnauthorizedError):
        get(make(transport, mufasa()).send_it())

    assert len(transport.requests) == 1


@BOTH
def test_a_request_with_a_header_of_its_own_is_left_alone(make: Make) -> None:
    transport = FakeTransport([WRONG, FINE, WRONG])
    client = make(transport, mufasa())
    get(client.send_it())

    with pytest.raises(UnauthorizedError):
        get(client.send_it(headers={"authorization": "mine"}))

    assert transport.requests[2].headers.get_all("Authorization") == ["mine"]


@BOTH
def test_hostile_values_are_sent_back_escaped_or_not_at_all(make: Make) -> None:
    hostile = 'Digest realm="a\\", uri=\\"/evil", nonce="\\\\\\"", opaque="\\" x=\\"y\xff", qop="auth"'
    transport = FakeTransport([Response(401, Headers.received([("www-authenticate", hostile)])), FINE])

    get(make(transport, mufasa()).send_it())

    header = transport.requests[1].headers["authorization"]
    assert 'realm="a\\", uri=\\"/evil"' in header
    assert 'nonce="\\\\\\""' in header
    assert 'opaque="\\" x=\\"y\xff"' in header
    assert header.count('uri="/thing"') == 1
    for raw in ('realm="a\rb"', 'realm="a\nx: y"', 'realm="\x00"', f'realm="{"x" * 5000}"'):
        line = f'Digest {raw}, nonce="n", qop="auth"'
        transport = FakeTransport([Response(401, Headers.received([("www-authenticate", line)]))])
        with pytest.raises(UnauthorizedError):
            get(make(transport, mufasa()).send_it())
        assert len(transport.requests) == 1


# --- bodies


@BOTH
@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_a_body_that_can_be_read_again_is_sent_again(make: Make, qop: str) -> None:
    server = DigestServer(qop=qop, uses=1)
    client = make(FakeTransport(otherwise=server), mufasa())

    for _ in range(2):
        assert get(client.send_it(method="PUT", body=StreamBody(lambda: [b"ab", b"c"]))) == b"let in"

    assert server.wrong == ["stale"]


@BOTH
def test_a_body_that_can_be_read_once_is_refused_while_no_nonce_is_known(make: Make) -> None:
    server = DigestServer()
    transport = FakeTransport(otherwise=server)
    client = make(transport, mufasa())

    with pytest.raises(UsageError, match="read once only: give bytes, or a StreamBody with a function"):
        get(client.send_it(method="PUT", body=StreamBody.once([b"x"])))

    assert transport.requests == []
    get(client.send_it())
    assert get(client.send_it(method="PUT", body=StreamBody.once([b"x"]))) == b"let in"


@BOTH
def test_a_body_that_can_be_read_once_is_never_sent_again(make: Make) -> None:
    transport = FakeTransport([WRONG, FINE, WRONG])
    client = make(transport, mufasa())
    get(client.send_it())

    with pytest.raises(UnauthorizedError):
        get(client.send_it(method="PUT", body=StreamBody.once([b"x"])))

    assert len(transport.requests) == 3


@BOTH
def test_a_body_that_can_be_read_once_is_not_digested(make: Make) -> None:
    transport = FakeTransport(otherwise=DigestServer(qop="auth-int"))
    client = make(transport, mufasa())
    get(client.send_it())

    with pytest.raises(UsageError, match="read once only"):
        get(client.send_it(method="PUT", body=StreamBody.once([b"x"])))

    assert len(transport.requests) == 2


@BOTH
def test_an_answer_that_is_not_used_gives_its_connection_back(make: Make) -> None:
    class Stream:
        closed = False

        async def read(self) -> bytes:
            raise AssertionError("nobody wants this")

        async def close(self) -> None:
            self.closed = True

    stream = Stream()
    transport = FakeTransport([Response(401, WRONG.headers, stream), FINE])

    get(make(transport, mufasa()).send_it())

    assert stream.closed


# --- shared by threads, tasks, clients and processes


@pytest.mark.parametrize("announces", [1, 3, 1000])
def test_threads_share_nonces_and_never_a_count(announces: int) -> None:
    server = DigestServer("SHA-256", "MD5", announces=announces, uses=100)
    client = sync_client(FakeTransport(otherwise=server), mufasa())

    with ThreadPoolExecutor(16) as pool:
        answers = [reply.result() for reply in [pool.submit(client.send_it) for _ in range(320)]]

    assert answers == [b"let in"] * 320
    assert set(server.wrong) <= {"stale"}
    for counts in server.counts.values():
        assert len(counts) == len(set(counts))


def test_tasks_share_nonces_and_never_a_count() -> None:
    server = DigestServer("SHA-256-sess")
    transport = FakeTransport(otherwise=server)
    client = async_client(transport, mufasa())

    async def many() -> list[bytes]:
        return [await client.send_it(), *await asyncio.gather(*(client.send_it() for _ in range(64)))]

    assert asyncio.run(many()) == [b"let in"] * 65
    assert server.wrong == []
    assert len(transport.requests) == 66
    assert sorted(int(fields["nc"], 16) for fields in server.right) == list(range(1, 66))


def test_a_late_answer_does_not_bring_an_old_nonce_back() -> None:
    sessions, origin = Sessions(), Url.parse("https://h").origin
    found = offer()
    assert found is not None
    first, second = Session(found, "c", "n1"), Session(found, "c", "n2")

    sessions.change(origin, None, first)
    sessions.change(origin, first, second)
    sessions.change(origin, first, first._replace(nonce="n3"))
    sessions.change(origin, None, None)

    assert sessions.current(origin) == second
    sessions.change(origin, second, None)
    assert sessions.current(origin) is None


def test_so_many_nonces_are_remembered_and_no_more() -> None:
    sessions, origin = Sessions(), Url.parse("https://h").origin

    counts = [sessions.count(origin, f"n{n}") for n in range(5000)] + [sessions.count(origin, "n4000")]

    assert set(counts[:-1]) == {1}
    assert counts[-1] == 2
    assert sessions.count(origin, "n0") == 1
    assert [sessions.count(origin, name) for n in range(3000) for name in (f"m{n}", "often")][-1] == 3000
    assert len(sessions._uses) <= 1024
    assert sessions.count(Url.parse("https://other").origin, "n4000") == 1


@BOTH
def test_clients_of_two_services_share_an_account_and_nothing_else(make: Make) -> None:
    one, other, digest = DigestServer("MD5"), DigestServer("SHA-256"), mufasa()
    transports = FakeTransport(otherwise=one), FakeTransport(otherwise=other)
    clients = make(transports[0], digest), make(transports[1], digest, base="https://other:8443")

    for _ in range(3):
        for client in clients:
            assert get(client.send_it()) == b"let in"

    for server, transport in zip((one, other), transports, strict=True):
        assert server.wrong == []
        assert len(transport.requests) == 4
        assert [fields["nc"] for fields in server.right] == ["00000001", "00000002", "00000003"]


def test_clients_of_one_service_share_its_nonce() -> None:
    server, digest = DigestServer(), mufasa()
    transport = FakeTransport(otherwise=server)

    for make in (sync_client, async_client, sync_client):
        get(make(transport, digest).send_it())

    assert len(transport.requests) == 4


def test_a_forked_process_begins_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    server = DigestServer()
    transport = FakeTransport(otherwise=server)
    client = sync_client(transport, mufasa())
    client.send_it()
    pid = os.getpid()

    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    client.send_it()
    monkeypatch.setattr(os, "getpid", lambda: pid)
    client.send_it()

    assert ["authorization" in request.headers for request in transport.requests] == [False, True, False, True, True]
    assert server.wrong == []


# --- what is refused, and what is shown


@pytest.mark.parametrize("wrong", [f"{CANARY}\n", f"{CANARY}\x00", f"{CANARY}\x85", f"{CANARY}\ud800", None, b"bytes"])
def test_a_name_or_password_that_cannot_be_sent_is_refused(wrong: Any) -> None:
    for user, password in (("u", wrong), (wrong, CANARY)):
        with pytest.raises(UsageError) as caught:
            Digest(user, password)

        assert CANARY not in f"{caught.value!r}{caught.value}{caught.value.__context__!r}"


@BOTH
def test_a_password_may_be_a_secret_or_empty(make: Make) -> None:
    for password in ("", "p"):
        server = DigestServer(password=password)
        digest = Digest(Secret("Mufasa"), Secret(password) if password else "")
        assert get(make(FakeTransport(otherwise=server), digest).send_it()) == b"let in"


@BOTH
def test_it_is_shown_nowhere(make: Make) -> None:
    digest = Digest("Mufasa", CANARY)
    client = make(FakeTransport([WRONG, FINE, WRONG, FINE, WRONG, WRONG]), digest)
    get(client.send_it())
    get(client.send_it())

    with pytest.raises(UnauthorizedError) as caught:
        get(client.send_it())

    explained = get(client.send_it.explain())
    shown = f"{digest!r} {vars(digest)} {caught.value!r} {caught.value} {explained} {explained!r} {client.chain}"
    assert CANARY not in shown
    with pytest.raises(TypeError):
        dumps(digest)


@BOTH
def test_a_request_to_look_at_is_answered_for_once_a_nonce_is_known(make: Make) -> None:
    transport = FakeTransport(otherwise=DigestServer())
    client = make(transport, mufasa())

    assert "authorization" not in get(client.send_it.request()).headers
    get(client.send_it())

    assert 'uri="/thing"' in get(client.send_it.request()).headers["authorization"]
    assert "Digest" not in str(get(client.send_it.explain()))
    assert get(client.send_it()) == b"let in"
    assert len(transport.requests) == 3
