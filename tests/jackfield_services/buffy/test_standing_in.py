"""The origin in place of the server: not for what is forced, and without versions; or because the caller says so."""

from __future__ import annotations

from typing import Any

import pytest
from tests.jackfield_services.buffy.buffy_world import BOTH, ORIGIN, FakeBuffy, client, get, read

from jackfield import ConnectError, Request, Response
from jackfield.testing import FakeTransport
from jackfield_services.buffy import BuffyNoMatchError, BuffyValueError

FORCED = pytest.mark.parametrize(
    "forced", [{"force_version": "20200101000000"}, {"force_tag": "paper"}, {"force_pinned": True}]
)


def held_away(colour: str) -> tuple[FakeTransport, Any]:
    """A request that is held, of a server that is away."""

    def answer(request: Request) -> Response:
        if request.url.origin.host == "origin.test":
            return Response(200, body=b"of today")
        raise ConnectError("refused")

    transport = FakeTransport(otherwise=answer)
    made = client(colour, transport=transport)
    return transport, get(made.create_request(ORIGIN, hold_request_order=True))


@BOTH
@FORCED
def test_what_is_forced_no_origin_has(colour: str, forced: dict[str, Any]) -> None:
    transport, asked = held_away(colour)

    with pytest.raises(ConnectError):
        get(asked.order(**forced))
    with pytest.raises(ConnectError):
        read(asked.download_response_content())
    assert not asked.is_local
    assert {one.url.origin.host for one in transport.requests} == {"localhost"}


@BOTH
@FORCED
def test_what_is_forced_afterwards_no_origin_has(colour: str, forced: dict[str, Any], tmp_path: Any) -> None:
    transport, asked = held_away(colour)
    get(asked.order())
    for name, value in forced.items():
        setattr(asked, name, value)

    with pytest.raises(BuffyNoMatchError, match="its origin has no versions"):
        read(asked.download_response_content())
    for refused in (asked.get_filename, asked.wait, lambda: asked.download_response_content_to(tmp_path / "a")):
        with pytest.raises(BuffyNoMatchError):
            get(refused())
    assert list(tmp_path.iterdir()) == []
    assert {one.url.origin.host for one in transport.requests} == {"localhost"}

    asked.force_version = asked.force_tag = asked.force_pinned = None
    assert read(asked.download_response_content()) == [b"of today"]


@BOTH
@FORCED
def test_who_goes_directly_takes_what_the_origin_has(colour: str, forced: dict[str, Any]) -> None:
    _, asked = held_away(colour)
    for name, value in forced.items():
        setattr(asked, name, value)
    asked.fetch_directly()

    assert read(asked.download_response_content()) == [b"of today"]


def is_without_versions(asked: Any) -> bool:
    for refused in (asked.wait, asked.pin, asked.unpin, lambda: asked.tag("good"), asked.list_cached_versions):
        with pytest.raises(BuffyValueError, match="fetched from its origin"):
            get(refused())
    return get(asked.get_response_version()) is asked.response_version is asked.download_stats is None


@BOTH
def test_who_goes_directly_has_no_version(colour: str) -> None:
    asked = get(FakeBuffy().client(colour).create_request(ORIGIN))
    get(asked.wait())
    asked.fetch_directly()

    assert is_without_versions(asked)
    get(asked.order())
    assert get(asked.pin(response_version=get(asked.wait()).version))


@BOTH
def test_where_the_origin_stands_in_later_there_is_no_version(colour: str) -> None:
    buffy = FakeBuffy()
    is_away: list[bool] = []

    def answer(request: Request) -> Response:
        if is_away and request.url.origin.host == "localhost":
            raise ConnectError("refused")
        return buffy._answer(request)

    asked = get(client(colour, transport=FakeTransport(otherwise=answer)).create_request(ORIGIN))
    get(asked.wait())
    is_away.append(True)
    get(asked.order())

    assert asked.is_local
    is_away.clear()
    assert is_without_versions(asked)


@BOTH
@pytest.mark.parametrize("wrong", ["false", None, 0])
def test_off_is_off_and_no_word_for_it(colour: str, wrong: Any) -> None:
    transport, asked = held_away(colour)
    asked.client.local_download_fallback = wrong

    with pytest.raises(BuffyValueError, match="local_download_fallback is True or False"):
        get(asked.order())
    assert transport.requests == []
