"""What must not be mixed: other people's answers, other representations, and an answer with a failure."""

from __future__ import annotations

from typing import Any

import pytest
from tests.clients import COLOURS, Asker

from jackfield import Response, Without
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_plugins.caching import Cache

URL = "https://api.example.test/me"


def asking(colour: str, answers: list[Response], **options: Any) -> tuple[Asker, FakeTransport]:
    """Asks a service that gives these answers, on virtual time, through a cache."""
    transport = FakeTransport(answers)
    runtime = VirtualSyncRuntime() if colour == "sync" else VirtualAsyncioRuntime()
    return Asker(colour, URL, transport, cache=Cache(), runtime=runtime, **options), transport


def fresh(body: bytes, **fields: str) -> Response:
    return Response(
        200, {"cache-control": "private, max-age=60"} | {n.replace("_", "-"): v for n, v in fields.items()}, body
    )


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    "name",
    ["Cf-Access-Jwt-Assertion", "X-Jwt", "DPoP", "Sudo", "X-Forwarded-User", "X-Sid", "X-Anything", "authorization"],
)
def test_whatever_may_tell_who_asks_keeps_answers_apart(colour: str, name: str) -> None:
    ask, _ = asking(colour, [fresh(b"ada's"), fresh(b"eve's")])

    with ask:
        bodies = [ask(headers={name: who}).content for who in ("ada", "eve", "ada", "eve")]

    assert bodies == [b"ada's", b"eve's", b"ada's", b"eve's"]


@pytest.mark.parametrize("colour", COLOURS)
def test_what_differs_from_call_to_call_and_says_nothing_costs_no_hit(colour: str) -> None:
    ask, transport = asking(colour, [fresh(b"one")])

    with ask:
        for number in range(3):
            ask(headers={"x-request-id": str(number), "traceparent": f"00-{number:032x}-{1:016x}-01"})

    assert len(transport.requests) == 1


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("told", [{"vary": "accept-language"}, {"cache-control": "no-store, max-age=600"}], ids=str)
def test_what_head_says_of_an_answer_holds_for_it_as_for_a_new_one(colour: str, told: dict[str, str]) -> None:
    ask, _ = asking(colour, [fresh(b"english"), Response(200, {"content-length": "7"} | told), fresh(b"deutsch")])

    with ask:
        ask()
        ask("HEAD", headers={"cache-control": "no-cache"})
        body = ask(headers={"accept-language": "de"}).content

    assert body == b"deutsch"


@pytest.mark.parametrize("colour", COLOURS)
def test_a_failure_does_not_take_the_place_of_what_stands_in_for_it(colour: str) -> None:
    good = Response(200, {"cache-control": "max-age=1, stale-if-error=3600"}, b"good")
    bad = Response(503, {"cache-control": "max-age=5"}, b"bad")
    ask, transport = asking(colour, [good, bad, bad, bad], plugins=[Without("errors")])

    with ask:
        bodies = [ask().content]
        for _ in range(3):
            ask.client.runtime.elapsed += 2
            bodies.append(ask().content)

    assert bodies == [b"good"] * 4
    assert len(transport.requests) == 4
