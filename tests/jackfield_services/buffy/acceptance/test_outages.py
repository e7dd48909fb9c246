"""What goes wrong under way: typed errors or recovery, and never a wait without an end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.servers import Peer, Serve
from tests.servers.origin import BLOB, Origin

from jackfield import ConnectError, DeadlineExceededError, NetworkError, NotFoundError, ServiceError
from jackfield_services.buffy import (
    BuffyCacheEmptyError,
    BuffyError,
    BuffyTimeoutError,
    BuffyValueError,
    RequestCacheConfiguration,
)

from .asking import WITH_EACH, Api, later, named


def test_the_origin_stands_in_for_a_server_that_is_gone(api: Api, origin: Origin, tmp_path: Path) -> None:
    api.server.stop()
    try:
        request = api.request(origin.url("/blob"))

        assert request.is_local
        assert api.content(request) == api.content(request) == BLOB
        assert api.get(request.download_response_content_to(dir=tmp_path)) == tmp_path / "blob file.bin"
        assert (request.response_version, request.cache_configuration) == (None, None)
        assert api.get(request.get_next_version()) is None
        for call in (request.pin, request.list_cached_response_versions, request.wait):
            with pytest.raises(BuffyValueError, match="origin"):
                api.get(call())
    finally:
        api.server.start()

    api.get(request.order())
    assert not request.is_local
    assert api.content(request) == BLOB


@pytest.mark.parametrize("path", ["/missing", "/broken"])
def test_what_the_origin_says_reaches_the_caller(api: Api, origin: Origin, path: str) -> None:
    api.server.stop()
    try:
        with pytest.raises(ServiceError, match="answered") as caught:
            api.content(api.request(origin.url(path)))
        assert caught.value.status == (404 if path == "/missing" else 500)
    finally:
        api.server.start()


def test_who_waits_for_what_is_fetched_from_its_origin_is_told_so(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/blob"))
    api.server.stop()
    try:
        api.get(request.order())
        with pytest.raises(BuffyValueError, match="origin"):
            api.get(request.wait())
        assert api.content(request) == BLOB
    finally:
        api.server.start()


def test_where_the_origin_may_not_stand_in_the_error_is_raised(api: Api, origin: Origin) -> None:
    api.client.local_download_fallback = False
    held = api.request(origin.url("/blob"), hold_request_order=True)
    api.server.stop()
    try:
        with pytest.raises(ConnectError):
            api.request(origin.url("/blob"))
        for call in (held.wait, held.get_filename, lambda: held.download_response_content_to("never")):
            with pytest.raises(ConnectError):
                api.get(call())
        assert origin.asked == {}
    finally:
        api.server.start()


def test_a_download_that_breaks_is_gone_on_with_from_the_origin(api: Api, origin: Origin) -> None:
    api.server.stop()
    try:
        assert api.content(api.request(origin.url("/dropped"))) == BLOB
        assert origin.things["/dropped"].starts == [0, 131_072]
    finally:
        api.server.start()


@pytest.mark.parametrize("ends", ["stop", "kill"])
def test_a_server_that_ends_and_comes_back_while_it_is_waited_for(api: Api, origin: Origin, ends: str) -> None:
    request = api.request(origin.url("/slow"), cache_configuration=WITH_EACH)
    restarted: list[str] = []

    def told(event: Any) -> None:
        if event.state == "in_progress" and not restarted:
            getattr(api.server, ends)()
            api.server.start()
            restarted.append(ends)
            origin.go_on.set()

    # What was under way is gone with the server: it is ordered again.
    version = api.get(request.wait(timeout=30, progress=told))

    assert restarted == [ends]
    assert version.status == "ready"
    assert api.content(request) == BLOB


def test_a_server_that_ends_while_it_is_waited_for(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/slow"))
    api.client.wait_timeout = 5

    def told(event: Any) -> None:
        origin.go_on.set()
        api.server.kill()

    try:
        with pytest.raises((NetworkError, BuffyTimeoutError)) as caught:
            api.get(request.wait(progress=told))
    finally:
        api.server.start()

    # The version is known that was waited for, and why nothing more is.
    assert isinstance(caught.value, NetworkError) or isinstance(
        caught.value.__cause__, NetworkError | DeadlineExceededError
    )


def test_a_server_that_forgot_is_told_again_by_who_reads(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/blob"))
    version = api.get(request.wait()).version

    api.server.flush()

    assert api.versions(request) == []
    with pytest.raises(NotFoundError, match=version):
        api.get(request.pin())
    assert api.content(request) == BLOB
    assert api.get(request.pin()) == request.response_version


def test_a_version_that_is_cleaned_up_before_it_is_read_gives_way_to_the_next(api: Api, origin: Origin) -> None:
    one = RequestCacheConfiguration(recaching_strategy=WITH_EACH.recaching_strategy, max_cached_unpinned_versions=1)
    early = api.request(origin.url("/changing"), cache_configuration=one)
    first = api.get(early.wait()).version
    origin.things["/changing"].data = b"second"
    late = api.request(origin.url("/changing"), cache_configuration=one, hold_request_order=True)
    second = api.again(late, known=early).version
    if not api.is_real:
        later(api.server, 61)  # it is time to clean up
    api.until(lambda: None if first in named(api.versions(late)) else True)

    assert early.state.bound.version == first
    assert api.content(early) == b"second"
    assert early.state.bound.version == second


def test_a_file_that_is_lost_is_an_error(api: Api, origin: Origin, tmp_path: Path) -> None:
    request = api.request(origin.url("/blob"))
    api.get(request.wait())
    api.server.lose_files()

    with pytest.raises((NetworkError, BuffyError)):
        api.content(request)
    with pytest.raises((NetworkError, BuffyError)):
        api.get(request.download_response_content_to(tmp_path / "file"))

    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_who_accepts_and_never_answers_is_given_up(serve: Serve, origin: Origin, colour: str, group: str) -> None:
    def mute(peer: Peer) -> None:
        for _ in peer.requests():
            pass

    with Api(colour, serve(*[mute] * 8).url, group, timeout=300, read_timeout=300) as api:
        api.client.buffy_server_timeout_sec = 0.2
        request = api.request(origin.url("/blob"))

        assert request.is_local
        assert api.content(request) == BLOB

        api.client.local_download_fallback = False
        with pytest.raises((NetworkError, DeadlineExceededError)):
            api.get(request.order())


def test_a_wait_ends_with_what_is_known(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/slow"))
    api.until(lambda: _downloaded(api, request) or None)

    try:
        with pytest.raises(BuffyTimeoutError) as caught:
            api.get(request.wait(timeout=1))
    finally:
        origin.go_on.set()

    assert isinstance(caught.value, TimeoutError)
    version = request.state.seen.version
    for word in (request.id, version, "in_progress", "65536", str(len(BLOB))):
        assert word in str(caught.value)
    assert api.content(request) == BLOB


def _downloaded(api: Api, request: Any) -> int:
    return sum(one.download_stats.downloaded_bytes for one in api.versions(request, status=None) if one.download_stats)


def test_a_failure_leaves_older_versions_to_serve(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/changing"), cache_configuration=WITH_EACH)
    first = api.get(request.wait()).version
    thing = origin.things.pop("/changing")
    failed = api.again(request)

    assert failed.status == "failed"
    assert api.content(request) == b"first"
    assert request.response_version == first
    request.fallback_to_older_version = False
    with pytest.raises(BuffyCacheEmptyError, match="404"):
        api.content(request)
    origin.things["/changing"] = thing


def test_leaving_early_gives_the_connection_up(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/blob"))
    api.get(request.wait())

    async def left() -> bytes:
        async with request.download_response_content() as stream:
            piece: bytes = await anext(stream)
        return piece

    if api.colour == "async":
        assert BLOB.startswith(api.get(left()))
    else:
        with request.download_response_content() as stream:
            assert BLOB.startswith(next(stream))

    assert api.content(request) == BLOB
