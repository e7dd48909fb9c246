"""Requests as callers hold them: wishes, versions, pins and tags, in either colour."""

from __future__ import annotations

import logging
import pydoc
from inspect import signature
from io import BytesIO
from typing import Any

import pytest
from tests.jackfield_services.buffy.buffy_world import (
    BOTH,
    CONTENT,
    NEW,
    OLD,
    ORIGIN,
    FakeBuffy,
    client,
    get,
    read,
    version,
)

from jackfield import BodyTooLargeError, ConnectError, DeadlineExceededError, ReadTimeoutError, Response, UsageError
from jackfield.testing import FakeTransport
from jackfield_services.buffy import (
    AsyncRequest,
    BuffyIntegrityError,
    BuffyNoMatchError,
    BuffyTimeoutError,
    BuffyUnknownError,
    BuffyValueError,
    ReCachingStrategy,
    Request,
    RequestCacheConfiguration,
)


def ordered(buffy: FakeBuffy, colour: str, **asking: Any) -> Any:
    return get(buffy.client(colour).create_request(ORIGIN, **asking))


def held(buffy: FakeBuffy, colour: str) -> Any:
    return ordered(buffy, colour, hold_request_order=True)


# Wishes


@BOTH
def test_wishes_are_nobodys_at_first(colour: str) -> None:
    asked = held(FakeBuffy(), colour)

    assert asked.force_version is asked.force_tag is asked.force_pinned is None
    assert asked.prefer_version is asked.prefer_tag is asked.prefer_pinned is None
    assert asked.prefere_cached_instead_of_waiting is asked.fallback_to_older_version is True


@BOTH
@pytest.mark.parametrize(("name", "values"), [("version", "abc"), ("tag", "abc"), ("pinned", (True, False, True))])
def test_the_spellings_of_a_wish_are_one_wish(colour: str, name: str, values: Any) -> None:
    asked = held(FakeBuffy(), colour)

    setattr(asked, f"prefere_{name}", values[0])
    assert getattr(asked, f"prefer_{name}") == values[0]
    setattr(asked, f"prefer_{name}", values[1])
    assert getattr(asked, f"prefere_{name}") == values[1]
    get(asked.order(**{f"prefer_{name}": values[2]}))
    assert getattr(asked, f"prefer_{name}") == getattr(asked, f"prefere_{name}") == values[2]


@BOTH
def test_an_order_takes_wishes_by_position_as_buffys_client_does(colour: str) -> None:
    asked = held(FakeBuffy(version(OLD, tags=["c"], pinned=True)), colour)
    get(asked.order(False, True, "a", "b", True, OLD, "c"))

    assert (asked.prefere_cached_instead_of_waiting, asked.prefer_cached) == (False, False)
    assert (asked.prefer_pinned, asked.prefer_version, asked.prefer_tag) == (True, "a", "b")
    assert (asked.force_pinned, asked.force_version, asked.force_tag) == (True, OLD, "c")
    assert get(asked.wait()).version == OLD


@BOTH
def test_an_order_without_arguments_keeps_what_was_set_by_hand(colour: str) -> None:
    buffy = FakeBuffy(version(NEW), version(OLD, tags=["good"]))
    asked = held(buffy, colour)
    asked.prefere_tag = "good"
    asked.prefere_cached_instead_of_waiting = False
    asked.fallback_to_older_version = False
    get(asked.order())

    assert get(asked.wait()).version == OLD
    assert (asked.prefer_tag, asked.prefer_cached, asked.fallback_to_older_version) == ("good", False, False)


@BOTH
def test_a_wish_is_taken_back_by_none(colour: str) -> None:
    asked = ordered(FakeBuffy(version(NEW), version(OLD, tags=["good"])), colour)
    asked.force_tag = "good"
    assert get(asked.wait()).version == OLD
    asked.force_tag = None
    assert get(asked.wait()).version == NEW


@BOTH
@pytest.mark.parametrize(
    ("wish", "value"), [("force_version", OLD), ("force_tag", "good"), ("force_pinned", True), ("prefer_version", OLD)]
)
def test_a_wish_counts_for_what_was_served_already(colour: str, wish: str, value: Any) -> None:
    asked = ordered(FakeBuffy(version(NEW), version(OLD, tags=["good"], pinned=True)), colour)
    assert get(asked.wait()).version == NEW

    setattr(asked, wish, value)
    assert get(asked.wait()).version == OLD


@BOTH
def test_another_order_serves_what_is_newer(colour: str) -> None:
    buffy = FakeBuffy(version(OLD))
    asked = ordered(buffy, colour)
    assert get(asked.wait()).version == OLD
    buffy.versions.insert(0, version(NEW))
    assert get(asked.wait()).version == OLD

    get(asked.order())
    assert get(asked.wait()).version == NEW


@BOTH
def test_what_is_forced_and_not_there_is_a_value_error(colour: str) -> None:
    asked = ordered(FakeBuffy(), colour)
    asked.force_tag = "good"

    with pytest.raises(BuffyNoMatchError, match="tag 'good'"):
        get(asked.wait())


# What is told


@BOTH
def test_before_an_order_there_is_nothing_to_tell(colour: str) -> None:
    buffy = FakeBuffy()
    asked = held(buffy, colour)

    assert (asked.id, asked.is_local, asked.download_stats, asked.response_version) == (None, False, None, None)
    for method in ("list_cached_response_versions", "pin", "unpin"):
        with pytest.raises(BuffyValueError, match=r"call order|nothing was ordered|no version is served"):
            get(getattr(asked, method)())
    assert buffy.transport.requests == []


def test_a_sync_request_tells_the_version_that_would_be_served() -> None:
    buffy = FakeBuffy(version(NEW, "in_progress"), version(OLD))
    asked = ordered(buffy, "sync")
    assert asked.response_version == OLD

    asked.order(prefer_cached=False)
    assert asked.response_version == NEW
    buffy.versions.clear()
    asked.order()
    assert asked.response_version is None


def test_an_async_request_asks_only_when_awaited() -> None:
    buffy = FakeBuffy()
    asked = ordered(buffy, "async")
    sent = len(buffy.transport.requests)

    assert asked.response_version is None
    assert len(buffy.transport.requests) == sent
    assert get(asked.get_response_version()) == NEW
    assert asked.response_version == NEW


@BOTH
def test_neighbours_are_those_in_the_list(colour: str) -> None:
    names = [f"2026112000000{number}" for number in range(5)]
    told = [version(name, next_version="wrong", previous_version="wrong") for name in reversed(names)]
    told[1]["status"] = "failed"
    asked = ordered(FakeBuffy(*told), colour, hold_request_order=True)
    get(asked.order(force_version=names[2]))

    assert get(asked.get_next_version()) == names[4]
    assert get(asked.get_previous_version()) == names[1]
    if colour == "sync":
        assert (asked.next_version, asked.previous_version) == (names[4], names[1])


@BOTH
def test_neighbours_are_found_among_many(colour: str) -> None:
    names = [f"202611200000{number:02}" for number in range(15)]
    asked = held(FakeBuffy(*(version(name) for name in reversed(names))), colour)
    get(asked.order(force_version=names[1]))

    assert (get(asked.get_previous_version()), get(asked.get_next_version())) == (names[0], names[2])


@BOTH
def test_how_far_a_download_is_can_be_read(colour: str) -> None:
    stats = {"downloaded_bytes": 65536, "state": "downloading"}
    buffy = FakeBuffy(version(status="in_progress", download_stats=stats))
    asked = ordered(buffy, colour)
    told: list[Any] = []

    with pytest.raises(BuffyTimeoutError) as caught:
        get(asked.wait(timeout=3, progress=told.append))
    assert asked.download_stats.downloaded_bytes == 65536
    assert len(told) > 3
    assert isinstance(caught.value, TimeoutError)
    assert "4e02eb858c03" in str(caught.value)


@BOTH
def test_an_error_of_waiting_shows_no_query(colour: str) -> None:
    buffy = FakeBuffy(version(status="wait"))
    asked = get(buffy.client(colour).create_request(f"{ORIGIN}?key=s3cr3t", http_header_fields={"X-Key": "s3cr3t"}))

    with pytest.raises(BuffyTimeoutError) as caught:
        get(asked.wait(timeout=0))
    assert "s3cr3t" not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


@BOTH
def test_a_repr_shows_no_secrets(colour: str) -> None:
    buffy = FakeBuffy()
    asked = get(
        buffy.client(colour, url="http://u:s3cr3t@h").create_request(
            f"{ORIGIN}?key=s3cr3t#s3cr3t", http_header_fields={"Authorization": "s3cr3t"}
        )
    )
    name = "Request" if colour == "sync" else "AsyncRequest"

    assert repr(asked) == f"<{name} of {ORIGIN}?***, id='4e02eb858c03'>"
    get(asked.wait())
    assert repr(asked) == f"<{name} of {ORIGIN}?***, id='4e02eb858c03', version {NEW}>"
    asked.fetch_directly()
    assert repr(asked) == f"<{name} of {ORIGIN}?***, from its origin>"
    assert "s3cr3t" not in f"{asked.state.placed!r} {asked.state.asked!r} {asked.client!r}"


# Lists


@BOTH
@pytest.mark.parametrize("name", ["list_cached_response_versions", "list_cached_versions"])
@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({}, {"status": "ready", "skip": "0", "limit": "10"}),
        ({"limit": None}, {"status": "ready", "skip": "0", "limit": "0"}),
        ({"limit": 0}, {"status": "ready", "skip": "0", "limit": "0"}),
        ({"status": None}, {"skip": "0", "limit": "10"}),
        ({"status": "failed", "tag": "good", "skip": 2, "limit": 3}, {"status": "failed", "skip": "2", "limit": "3"}),
    ],
)
def test_a_list_is_asked_for_as_documented(
    colour: str, name: str, given: dict[str, Any], query: dict[str, str]
) -> None:
    buffy = FakeBuffy()
    asked = ordered(buffy, colour)
    get(getattr(asked, name)(**given))

    tag = {"tag": given["tag"]} if "tag" in given else {}
    assert dict(buffy.transport.requests[-1].query) == query | tag


@BOTH
def test_a_list_takes_its_arguments_by_position(colour: str) -> None:
    buffy = FakeBuffy()
    get(ordered(buffy, colour).list_cached_response_versions("failed", "good", 2, 3))

    assert dict(buffy.transport.requests[-1].query) == {"status": "failed", "tag": "good", "skip": "2", "limit": "3"}


@BOTH
@pytest.mark.parametrize(
    "given",
    [
        {"status": "done"},
        {"status": ""},
        {"status": 5},
        {"skip": -1},
        {"skip": None},
        {"skip": "1"},
        {"limit": -1},
        {"limit": True},
        {"limit": "10"},
        {"limit": 2**31},
    ],
)
def test_a_list_that_makes_no_sense_is_not_asked_for(colour: str, given: dict[str, Any]) -> None:
    buffy = FakeBuffy()
    asked = ordered(buffy, colour)
    sent = len(buffy.transport.requests)

    with pytest.raises(BuffyValueError):
        get(asked.list_cached_response_versions(**given))
    assert len(buffy.transport.requests) == sent


# Pins and tags


@BOTH
def test_pins_and_tags_go_to_the_version_that_is_served_and_say_which(colour: str) -> None:
    buffy = FakeBuffy(version(NEW), version(OLD))
    asked = ordered(buffy, colour)
    get(asked.wait())

    assert get(asked.pin()) == NEW
    assert asked.state.bound.pinned
    assert get(asked.tag("good")) == NEW
    assert asked.state.bound.tags == ["good"]
    assert get(asked.unpin()) == NEW
    assert get(asked.tag("good", remove_tag=True)) == NEW
    assert (buffy.versions[0]["pinned"], buffy.versions[0]["tags"]) == (False, [])


@BOTH
def test_pins_and_tags_go_to_another_version_and_say_which(colour: str) -> None:
    buffy = FakeBuffy(version(NEW), version(OLD))
    asked = ordered(buffy, colour)

    assert get(asked.pin(True, OLD)) == OLD
    assert get(asked.tag("good", OLD)) == OLD
    assert (buffy.versions[1]["pinned"], buffy.versions[1]["tags"]) == (True, ["good"])
    assert get(asked.pin(value=False, response_version=OLD)) == OLD
    assert get(asked.tag("good", OLD, True)) == OLD
    assert get(asked.unpin(OLD)) == OLD
    assert (buffy.versions[1]["pinned"], buffy.versions[1]["tags"]) == (False, [])
    assert buffy.versions[0] == version(NEW)


@BOTH
@pytest.mark.parametrize("method", ["pin", "unpin"])
def test_without_a_version_there_is_nothing_to_pin(colour: str, method: str) -> None:
    asked = ordered(FakeBuffy(), colour)
    with pytest.raises(ValueError, match="give response_version"):
        get(getattr(asked, method)())


@BOTH
def test_a_version_that_is_not_kept_is_not_pinned(colour: str) -> None:
    buffy = FakeBuffy()
    asked = ordered(buffy, colour)
    with pytest.raises(BuffyUnknownError, match="keeps no version 19990101000000"):
        get(asked.pin(response_version="19990101000000"))
    assert buffy.paths() == ["request/"]


@BOTH
@pytest.mark.parametrize(
    "tag", ["", "a", "ab", "a" * 65, "a b", "good\n", "ä-umlaut", "a/b", "a.b", "a%20b", None, 5, ["good"], b"good"]
)
def test_a_tag_that_no_server_should_get(colour: str, tag: Any) -> None:
    buffy = FakeBuffy()
    asked = ordered(buffy, colour)
    sent = len(buffy.transport.requests)

    with pytest.raises(BuffyValueError, match="a tag is 3 to 64 letters"):
        get(asked.tag(tag, NEW))
    assert len(buffy.transport.requests) == sent


@BOTH
@pytest.mark.parametrize("tag", ["abc", "a" * 64, "---", "MY-TAG_best-9"])
def test_a_tag_that_it_should(colour: str, tag: str) -> None:
    buffy = FakeBuffy()
    get(ordered(buffy, colour).tag(tag, NEW))
    assert buffy.versions[0]["tags"] == [tag]


@BOTH
@pytest.mark.parametrize("tag", ["ok", "ok\n"])
def test_a_tag_of_somebody_elses_may_be_of_any_form(colour: str, tag: str) -> None:
    buffy = FakeBuffy(version(NEW), version(OLD, tags=[tag]))
    asked = held(buffy, colour)
    get(asked.order(force_tag=tag))
    assert get(asked.wait()).version == OLD

    get(asked.list_cached_response_versions(tag=tag))
    assert get(asked.tag(tag, remove_tag=True)) == OLD
    assert buffy.versions[1]["tags"] == []


@BOTH
@pytest.mark.parametrize("tag", ["other", "ok", "", 5])
def test_a_tag_that_is_not_there_is_not_taken_off(colour: str, tag: Any) -> None:
    buffy = FakeBuffy(version(tags=["good"]))
    asked = ordered(buffy, colour)

    assert get(asked.tag(tag, NEW, remove_tag=True)) == NEW
    assert buffy.paths() == ["request/"]  # it would end the server


@BOTH
def test_a_tag_that_is_there_is_not_put_again(colour: str) -> None:
    buffy = FakeBuffy(version(tags=["good"]))
    assert get(ordered(buffy, colour).tag("good", NEW)) == NEW
    assert buffy.paths() == ["request/"]


@BOTH
@pytest.mark.parametrize("seconds", [0, -60, 10**12, 10 * 365 * 86400 + 1, True, 1.5, "60"])
def test_a_duration_that_ends_a_server_or_makes_no_sense(colour: str, seconds: Any) -> None:
    buffy = FakeBuffy()
    asked = ordered(buffy, colour)
    with pytest.raises(BuffyValueError, match="duration_sec is a whole number from 1 to"):
        get(asked.pin(response_version=NEW, duration_sec=seconds))
    assert buffy.paths() == ["request/"]


@BOTH
def test_an_unpin_has_no_duration(colour: str) -> None:
    buffy = FakeBuffy()
    asked = ordered(buffy, colour)
    with pytest.raises(BuffyValueError, match="duration_sec is for pins"):
        get(asked.pin(False, NEW, 60))
    assert buffy.paths() == ["request/"]


# How it is cached


@BOTH
def test_a_configuration_is_the_callers_and_then_the_servers(colour: str) -> None:
    mine = RequestCacheConfiguration(recaching_strategy=ReCachingStrategy.age(6))
    buffy = FakeBuffy()
    asked = held(buffy, colour)
    before = asked.cache_configuration
    get(asked.configure(mine))
    assert before is None
    assert asked.cache_configuration == mine
    assert buffy.transport.requests == []
    get(asked.order())
    assert buffy.asked[0]["cache_configuration"] == mine.model_dump()
    assert asked.cache_configuration == mine
    assert asked.cache_configuration.recaching_strategy == ReCachingStrategy.age


def test_a_sync_request_has_it_as_an_attribute() -> None:
    buffy = FakeBuffy()
    asked = held(buffy, "sync")
    mine = RequestCacheConfiguration(max_cached_unpinned_versions=3)
    asked.cache_configuration = mine
    mine.max_cached_unpinned_versions = 4
    assert asked.cache_configuration.max_cached_unpinned_versions == 3

    asked.order()
    asked.cache_configuration = mine
    assert buffy.paths() == ["request/", "request/4e02eb858c03/cache-config"]
    assert asked.cache_configuration.max_cached_unpinned_versions == 4


# Downloads


@BOTH
@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (None, [CONTENT]),
        (5, [b"hello", b" stat", b"ic\n"]),
        (13, [CONTENT]),
        (1, [bytes([byte]) for byte in CONTENT]),
        (100, [CONTENT]),
    ],
)
def test_pieces_have_the_size_that_was_asked_for(colour: str, size: int | None, pieces: list[bytes]) -> None:
    asked = ordered(FakeBuffy(), colour)
    given = {} if size is None else {"chunk_size": size}

    assert read(asked.download_response_content(**given)) == pieces
    assert read(asked.download_response_content(**given)) == pieces


@BOTH
@pytest.mark.parametrize("size", [0, -1, 1.5, "5", True])
def test_a_piece_has_at_least_a_byte(colour: str, size: Any) -> None:
    asked = held(buffy := FakeBuffy(), colour)
    with pytest.raises(BuffyValueError, match="chunk_size"):
        read(asked.download_response_content(chunk_size=size))
    assert buffy.transport.requests == []


@BOTH
@pytest.mark.parametrize("kind", ["shake_128", "nope", "", "../x"])
def test_a_hash_that_cannot_be_verified_is_an_error_of_the_server(colour: str, kind: str) -> None:
    buffy = FakeBuffy()
    buffy.told["validation_hash_type"] = kind

    with pytest.raises(BuffyIntegrityError, match="cannot be verified"):
        read(ordered(buffy, colour).download_response_content())


@BOTH
def test_a_server_that_does_not_say_hashes_by_md5(colour: str) -> None:
    buffy = FakeBuffy()
    buffy.told["validation_hash_type"] = None
    assert read(ordered(buffy, colour).download_response_content()) == [CONTENT]


@BOTH
@pytest.mark.parametrize("id", ["../../x", "a/b", "a?b#c", "%2e"])
def test_whatever_a_server_calls_a_request_it_stays_one_part_of_the_path(colour: str, id: str) -> None:
    buffy = FakeBuffy()
    buffy.told["id"] = id
    get(ordered(buffy, colour).list_cached_response_versions())

    assert all(path.count("/") <= 3 and ".." not in path.split("/") for path in buffy.paths("GET"))


@BOTH
def test_a_download_orders_what_was_held(colour: str) -> None:
    asked = held(FakeBuffy(), colour)
    assert read(asked.download_response_content()) == [CONTENT]
    assert asked.id == "4e02eb858c03"


@BOTH
def test_a_download_goes_into_files_of_any_kind(colour: str, tmp_path: Any) -> None:
    asked = ordered(FakeBuffy(), colour)
    save = asked.download_response_content_to

    assert get(save(str(tmp_path / "a"))) == tmp_path / "a"
    assert get(save(tmp_path / "b")) == tmp_path / "b"
    assert get(save(dir=tmp_path)) == tmp_path / "file.txt"
    assert get(save(None, str(tmp_path))) == tmp_path / "file.txt"
    with open(tmp_path / "c", "wb") as file:
        assert get(save(file)) is file
        assert not file.closed
    for name in ("a", "b", "c", "file.txt"):
        assert (tmp_path / name).read_bytes() == CONTENT


@BOTH
def test_a_download_has_one_target(colour: str, tmp_path: Any) -> None:
    asked = ordered(FakeBuffy(), colour)
    for given in ({}, {"target": tmp_path / "a", "dir": tmp_path}):
        with pytest.raises(ValueError, match="target"):
            get(asked.download_response_content_to(**given))
    with pytest.raises(BuffyValueError, match="open for bytes"), open(tmp_path / "a", "w") as file:
        get(asked.download_response_content_to(file))


@BOTH
@pytest.mark.parametrize("folder", [5, b"a", "a" * 5000, "a\0b", "missing", ""])
def test_a_folder_that_is_none_is_a_value_error(colour: str, folder: Any, tmp_path: Any) -> None:
    asked = ordered(FakeBuffy(), colour)
    given = {"dir": folder} if folder else {"target": tmp_path / "a", "dir": folder}
    with pytest.raises(BuffyValueError, match=r"dir|folder"):
        get(asked.download_response_content_to(**given))
    assert list(tmp_path.iterdir()) == []


@BOTH
def test_two_targets_are_one_too_many_whatever_they_are(colour: str) -> None:
    with pytest.raises(BuffyValueError, match="not both"):
        get(ordered(FakeBuffy(), colour).download_response_content_to(target="x", dir=""))


class _Full(BytesIO):
    def write(self, piece: Any) -> int:
        raise OSError(28, "No space left on device")


@BOTH
def test_a_file_that_takes_nothing_is_an_error_of_ours(colour: str) -> None:
    with pytest.raises(UsageError, match="No space left") as caught:
        get(ordered(FakeBuffy(), colour).download_response_content_to(_Full()))
    assert isinstance(caught.value.__cause__, OSError)


@BOTH
@pytest.mark.parametrize("told", [None, ""])
def test_what_cannot_be_verified_is_not_given(colour: str, told: str | None, tmp_path: Any) -> None:
    asked = ordered(buffy := FakeBuffy(version(content_hash_hex=told)), colour)

    with pytest.raises(BuffyIntegrityError, match="cannot be verified"):
        get(asked.download_response_content_to(tmp_path / "a"))
    with pytest.raises(BuffyIntegrityError):
        read(asked.download_response_content())
    assert list(tmp_path.iterdir()) == []
    assert not any(path.endswith("/content") for path in buffy.paths("GET"))


@BOTH
def test_too_much_is_refused(colour: str, tmp_path: Any) -> None:
    asked = ordered(FakeBuffy(), colour)
    with pytest.raises(BodyTooLargeError):
        get(asked.download_response_content_to(tmp_path / "a", max_bytes=12))
    assert list(tmp_path.iterdir()) == []


# Where the server is not reached


@BOTH
@pytest.mark.parametrize(
    "trouble",
    [ConnectError("refused"), ReadTimeoutError("silent"), DeadlineExceededError("the time was up"), Response(503)],
)
def test_the_origin_stands_in_for_a_server_that_is_not_there(
    colour: str, trouble: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(request: Any) -> Response:
        if request.url.origin.host == "origin.test":
            return Response(200, body=b"from its origin")
        if isinstance(trouble, Response):
            return trouble
        raise type(trouble)(trouble.message)

    made = client(colour, transport=FakeTransport(otherwise=answer))
    with caplog.at_level(logging.WARNING, "jackfield.buffy"):
        asked = get(made.create_request(f"{ORIGIN}?key=s3cr3t"))

    assert asked.is_local
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.records[0].getMessage().startswith("Buffy is not reached at http://localhost:8008/v1")
    assert "s3cr3t" not in caplog.text
    assert read(asked.download_response_content()) == [b"from its origin"]
    assert asked.response_version is asked.cache_configuration is None
    with pytest.raises(ValueError, match="fetched from its origin"):
        get(asked.pin(response_version=NEW))
    with pytest.raises(ValueError, match="fetched from its origin"):
        get(asked.list_cached_response_versions())


@BOTH
def test_another_order_goes_back_to_the_server(colour: str) -> None:
    asked = ordered(FakeBuffy(), colour)
    asked.fetch_directly()
    assert read(asked.download_response_content()) == [b"from its origin"]

    get(asked.order())
    assert not asked.is_local
    assert read(asked.download_response_content()) == [CONTENT]


# What help shows

METHODS = [
    ("order", "(prefer_cached: 'bool | None' = None, prefer_pinned: "),
    ("wait", "(timeout: 'float | None' = None, progress: "),
    ("download_response_content_to", "(target: "),
    (
        "list_cached_response_versions",
        "(status: 'Status | None' = 'ready', tag: 'str | None' = None, skip: 'int' = 0, ",
    ),
    ("list_cached_versions", "(status: "),
    ("get_filename", "(fallback_filename: 'str | None' = 'download')"),
    ("pin", "(value: 'bool' = True, response_version: 'str | None' = None, duration_sec: "),
    ("unpin", "(response_version: 'str | None' = None)"),
    ("tag", "(tag: 'str', response_version: 'str | None' = None, remove_tag: 'bool' = False)"),
    ("get_response_version", "()"),
    ("get_next_version", "()"),
    ("configure", "(configuration: "),
]


@BOTH
@pytest.mark.parametrize(("name", "shown"), METHODS)
def test_a_method_tells_what_it_takes_and_does(colour: str, name: str, shown: str) -> None:
    method = getattr(held(FakeBuffy(), colour), name)

    assert str(signature(method)).startswith(shown)
    assert method.__name__ == name
    assert method.__doc__
    assert name in pydoc.plain(pydoc.render_doc(method))


def test_a_method_may_be_called_by_its_class() -> None:
    asked = held(FakeBuffy(), "sync")
    Request.order(asked, force_version=NEW)
    assert (asked.id, asked.force_version) == ("4e02eb858c03", NEW)


@pytest.mark.parametrize("kind", [Request, AsyncRequest])
def test_help_of_the_class_names_every_method(kind: type) -> None:
    shown = pydoc.plain(pydoc.render_doc(kind))
    for name, takes in METHODS:
        assert f"{name}{takes}"[:40] in shown
    assert " order: " not in shown
