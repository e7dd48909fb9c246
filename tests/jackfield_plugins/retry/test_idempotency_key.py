"""Idempotency keys: one per call, the same in each attempt, and never in place of the caller's own."""

from __future__ import annotations

from typing import Any

import pytest
from tests.made import Make, both, get, makers

from jackfield import (
    ConfigurationError,
    JackfieldError,
    ReadTimeoutError,
    Request,
    Response,
    Service,
    Url,
    operation,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.retry import IdempotencyKey, Retry

GOOD = Response(200)
LATE = ReadTimeoutError("late")


class Core(Service):
    @operation
    async def send_it(
        self,
        method: str = "POST",
        headers: dict[str, str] | None = None,
        idempotent: bool | None = None,
        elsewhere: bool = False,
    ) -> Request:
        url = Url.parse("https://elsewhere/thing") if elsewhere else self.url("thing")
        request = Request(method, url, headers=headers or {}, body=b"change", idempotent=idempotent)
        await self.send(request)
        return request


sync_client, async_client = makers(Core)
BOTH = both(sync_client, async_client)


def keys(transport: FakeTransport, header: str = "idempotency-key") -> list[str | None]:
    return [request.headers.get(header) for request in transport.requests]


@BOTH
@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("outcome", [LATE, Response(503), Response(429), Response(502)])
def test_a_change_with_a_key_is_tried_again_with_the_same_key(make: Make, method: str, outcome: Any) -> None:
    transport = FakeTransport([outcome, outcome, GOOD])

    get(make(transport, Retry(), IdempotencyKey()).send_it(method))

    one, two, three = keys(transport)
    assert one == two == three
    assert one is not None
    assert len(bytes.fromhex(one)) == 16
    assert [request.body for request in transport.requests] == [b"change"] * 3


@BOTH
def test_each_call_has_a_key_of_its_own(make: Make) -> None:
    transport = FakeTransport(otherwise=GOOD)
    client = make(transport, IdempotencyKey())

    for _ in range(1000):
        get(client.send_it())

    assert len(set(keys(transport)) - {None}) == 1000


@BOTH
def test_the_key_of_the_caller_stays_and_counts_as_well(make: Make) -> None:
    transport = FakeTransport([LATE, GOOD])

    get(make(transport, Retry(), IdempotencyKey()).send_it(headers={"IDEMPOTENCY-KEY": "mine"}))

    assert keys(transport) == ["mine", "mine"]


@BOTH
def test_what_the_request_declares_of_itself_goes_over_its_key(make: Make) -> None:
    transport = FakeTransport([LATE])

    with pytest.raises(ReadTimeoutError):
        get(make(transport, Retry(), IdempotencyKey()).send_it(idempotent=False))

    assert len(transport.requests) == 1


@BOTH
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_what_needs_no_key_gets_none(make: Make, method: str) -> None:
    transport = FakeTransport([GOOD])

    sent = get(make(transport, IdempotencyKey()).send_it(method))

    assert keys(transport) == [None]
    assert transport.requests[0].is_idempotent is sent.is_idempotent


@BOTH
def test_another_origin_gets_no_key(make: Make) -> None:
    transport = FakeTransport([LATE])

    with pytest.raises(JackfieldError):
        get(make(transport, Retry(), IdempotencyKey()).send_it(elsewhere=True))

    assert keys(transport) == [None]


@BOTH
def test_the_header_is_the_services(make: Make) -> None:
    transport = FakeTransport([LATE, GOOD])

    get(make(transport, Retry(), IdempotencyKey("X-Request-Token")).send_it())

    assert keys(transport) == [None, None]
    assert len(set(keys(transport, "x-request-token")) - {None}) == 1


def test_without_retry_a_change_has_its_key_and_is_sent_once() -> None:
    transport = FakeTransport([LATE])

    with pytest.raises(ReadTimeoutError) as caught:
        sync_client(transport, IdempotencyKey()).send_it()

    assert keys(transport) != [None]
    assert caught.value.call is not None
    assert not caught.value.call.may_have_been_processed  # sent again with this key it does no harm


@pytest.mark.parametrize("wrong", ["", "a b", "a\nb", "é", 5, None])
def test_what_is_no_header_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="no header name"):
        IdempotencyKey(wrong)
