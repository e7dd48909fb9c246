"""Pins and tags, of the version that is named, told once where twice would end the server; whoever calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.jackfield_services.buffy.buffy_world import BOTH, NEW, OLD, ORIGIN, FakeBuffy, client, get, version

from jackfield import ConnectError, ReadTimeoutError, Request, Response
from jackfield.testing import FakeTransport, json_response
from jackfield_services.buffy import (
    AsyncBuffyClient,
    BuffyNotAppliedError,
    BuffyServerError,
    BuffyUnknownError,
    BuffyValueError,
    ReCachingStrategy,
    RequestCacheConfiguration,
)
from jackfield_services.buffy._models import RequestIn


class SlowBuffy(FakeBuffy):
    """Takes tags off when it was looked at so many times; a second claim would end it."""

    def __init__(self, looks: int) -> None:
        super().__init__(version(tags=["paper", "other"]), version(OLD, tags=["paper"]))
        self.looks = looks
        self.claims: list[str] = []

    def _of_version(self, one: dict[str, Any], what: str, said: dict[str, Any]) -> Response:
        if what == "tag" and said["delete"]:
            self.claims.append(f"{one['version']} {said['value']}")
            return Response(500)
        if self.claims and not what:
            self.looks -= 1
            if self.looks == 0:
                one["tags"] = ["other"]
        return super()._of_version(one, what, said)


def once(colour: str, answer: Any) -> Any:
    """A client that sends nothing again."""
    return client(colour, transport=FakeTransport(otherwise=answer)).with_options(retry=None)


@pytest.mark.parametrize("looks", [2, 5])
def test_tasks_that_take_a_tag_off_at_once_tell_the_server_once(looks: int) -> None:
    buffy = SlowBuffy(looks)

    async def both() -> list[str]:
        made: AsyncBuffyClient = buffy.client("async")
        asked = [await made.create_request(ORIGIN) for _ in range(3)]
        await asyncio.gather(*(one.wait() for one in asked))
        names = await asyncio.gather(*(one.tag("paper", remove_tag=True) for one in asked))
        assert [one.state.bound.tags for one in asked if one.state.bound] == [["other"]] * 3
        return names

    assert asyncio.run(both()) == [NEW] * 3
    assert buffy.claims == [f"{NEW} paper"]


@BOTH
def test_a_removal_that_may_still_come_is_not_told_again(colour: str) -> None:
    buffy = SlowBuffy(looks=30)
    made = buffy.client(colour)
    asked = get(made.create_request(ORIGIN))
    for _ in range(2):
        with pytest.raises(BuffyNotAppliedError, match="removal of the tag 'paper'"):
            get(asked.tag("paper", NEW, remove_tag=True))
    again = get(made.create_request(ORIGIN))
    for _ in range(5):
        if "paper" in buffy.versions[0]["tags"]:
            try:
                get(again.tag("paper", NEW, remove_tag=True))
            except BuffyNotAppliedError:
                continue
    assert buffy.claims == [f"{NEW} paper"]
    assert buffy.versions[0]["tags"] == ["other"]

    get(asked.tag("paper", NEW))
    buffy.looks = 2
    assert get(asked.tag("paper", NEW, remove_tag=True)) == NEW  # it is over, and this is another
    assert buffy.claims == [f"{NEW} paper"] * 2


@BOTH
@pytest.mark.parametrize(
    ("trouble", "claims"),
    [
        (ConnectError("refused"), 2),
        (Response(422), 2),
        (Response(502), 1),
        (ReadTimeoutError("silent"), 1),
    ],
)
def test_only_what_the_server_cannot_have_taken_is_told_again(colour: str, trouble: Any, claims: int) -> None:
    buffy = SlowBuffy(looks=10**6)
    told: list[Any] = []

    def answer(request: Request) -> Response:
        if request.method == "PUT" and request.url.path.endswith("/tag"):
            told.append(request)
            if isinstance(trouble, Response):
                return trouble
            raise type(trouble)(trouble.message)
        return buffy._answer(request)

    asked = get(once(colour, answer).create_request(ORIGIN))
    for _ in range(2):
        with pytest.raises((ConnectError, BuffyServerError, BuffyNotAppliedError)):
            get(asked.tag("paper", NEW, remove_tag=True))
    assert len(told) == claims


@BOTH
@pytest.mark.parametrize("name", ["latest", "", "..", 5, ["a"]])
def test_a_version_is_named(colour: str, name: Any) -> None:
    buffy = FakeBuffy()
    asked = get(buffy.client(colour).create_request(ORIGIN))
    sent = len(buffy.transport.requests)

    for refused in (asked.pin, asked.unpin):
        with pytest.raises(BuffyValueError, match="response_version"):
            get(refused(response_version=name))
    for removes in (False, True):
        with pytest.raises(BuffyValueError, match="response_version"):
            get(asked.tag("good", name, removes))
    assert len(buffy.transport.requests) == sent


@BOTH
def test_another_version_than_was_asked_for_is_not_taken_for_it(colour: str) -> None:
    buffy = FakeBuffy(version(OLD))

    def answer(request: Request) -> Response:
        if request.method == "GET" and "/v/" in request.url.path:
            return json_response(version(OLD))
        return buffy._answer(request)

    asked = get(client(colour, transport=FakeTransport(otherwise=answer)).create_request(ORIGIN))
    with pytest.raises(BuffyUnknownError, match=f"keeps no version {NEW}"):
        get(asked.pin(response_version=NEW))
    assert not buffy.versions[0]["pinned"]


@BOTH
@pytest.mark.parametrize("wrong", ["no", 0, None])
def test_a_flag_is_no_word(colour: str, wrong: Any) -> None:
    buffy = FakeBuffy()
    asked = get(buffy.client(colour).create_request(ORIGIN))

    with pytest.raises(BuffyValueError, match="value is True or False"):
        get(asked.pin(wrong, NEW))
    with pytest.raises(BuffyValueError, match="remove_tag is True or False"):
        get(asked.tag("good", NEW, wrong))
    assert buffy.paths() == ["request/"]


@BOTH
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("force_version", 5),
        ("prefer_tag", ["a"]),
        ("force_pinned", "no"),
        ("prefer_pinned", 1),
        ("prefer_cached", "no"),
        ("fallback_to_older_version", None),
    ],
)
def test_a_wish_that_makes_no_sense_is_not_taken(colour: str, name: str, wrong: Any) -> None:
    asked = get(FakeBuffy().client(colour).create_request(ORIGIN))
    before = asked.state.wishes

    with pytest.raises(BuffyValueError):
        setattr(asked, name, wrong)
    if name != "fallback_to_older_version":
        with pytest.raises(BuffyValueError):
            get(asked.order(**{name: wrong}))
    assert asked.state.wishes == before


@BOTH
@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("put_pin", ["a", NEW, True, 10**12]),
        ("put_pin", ["a", NEW, "no"]),
        ("put_pin", ["a", "latest", True]),
        ("put_tag", ["a", NEW, "x"]),
        ("put_request", [RequestIn(url="x")]),
        ("put_request", [RequestIn(url=ORIGIN, validation_hash_type="shake_128")]),
        ("put_cache_config", ["a", RequestCacheConfiguration(recaching_strategy=ReCachingStrategy.cron("nope"))]),
        ("get_response", ["a", "latest"]),
    ],
)
def test_what_ends_a_server_goes_out_by_no_operation(colour: str, name: str, given: list[Any]) -> None:
    buffy = FakeBuffy()
    made = buffy.client(colour)

    with pytest.raises(BuffyValueError):
        get(getattr(made, name)(*given))
    assert buffy.transport.requests == []
    assert not hasattr(made, "delete_tag")


@BOTH
def test_a_configuration_that_was_changed_by_hand_is_checked_again(colour: str) -> None:
    buffy = FakeBuffy()
    made = buffy.client(colour)
    asked = get(made.create_request(ORIGIN, hold_request_order=True, cache_configuration=RequestCacheConfiguration()))
    asked.cache_configuration.recaching_strategy = ReCachingStrategy.cron("nope")

    with pytest.raises(BuffyValueError, match="cron"):
        get(asked.order())
    assert buffy.transport.requests == []


@BOTH
def test_a_pin_for_a_time_is_not_the_pin_for_good_that_was_there(colour: str) -> None:
    asked = get(FakeBuffy(version(pinned=True)).client(colour).create_request(ORIGIN))

    with pytest.raises(BuffyNotAppliedError, match="pin for a time"):
        get(asked.pin(response_version=NEW, duration_sec=60))


@BOTH
def test_a_claim_that_never_left_is_not_waited_for(colour: str) -> None:
    buffy = FakeBuffy()
    looks: list[Any] = []

    def answer(request: Request) -> Response:
        if request.url.path.endswith("/pin"):
            raise ConnectError("refused")
        looks.append(request)
        return buffy._answer(request)

    asked = get(once(colour, answer).create_request(ORIGIN))
    with pytest.raises(ConnectError):
        get(asked.pin(response_version=NEW))
    assert sum("/v/" in one.url.path for one in looks) == 1
