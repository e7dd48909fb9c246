"""What type checkers make of Buffy's clients and of their requests. Checked by `tox -e types`; never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true
# The ignores below are the test: mypy and pyright each complain where one is not needed.

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

from jackfield import AsyncStream, Stream
from jackfield_services.buffy import (
    AsyncBuffyClient,
    AsyncRequest,
    BuffyClient,
    BuffyPyClient,
    ReCachingStrategy,
    Request,
    RequestCacheConfiguration,
    Response,
)


def sync(client: BuffyClient) -> None:
    configuration = RequestCacheConfiguration(recaching_strategy=ReCachingStrategy.age(seconds=6))
    request = client.create_request("https://h/f", "post", {"q": 1}, {}, {"Accept": "*/*"}, "what", None, True)
    assert_type(request, Request)
    assert_type(client.create_request(url="https://h/f", cache_configuration=configuration), Request)
    assert_type(BuffyPyClient.from_env("group"), BuffyClient)
    assert_type(request.order(prefer_tag="good"), None)
    assert_type(request.wait(timeout=5), Response)
    assert_type(request.pin(), str)
    assert_type(request.tag("good", remove_tag=True), str)
    assert_type(request.list_cached_response_versions(status=None, limit=None), list[Response])
    assert_type(request.get_filename(None), str | None)
    assert_type(request.response_version, str | None)
    assert_type(request.next_version, str | None)
    assert_type(request.download_response_content(), Stream)
    assert_type(request.force_tag, str | None)
    request.prefere_tag = "good"
    request.force_pinned = True
    request.cache_configuration = configuration
    request.download_response_content_to(dir=Path("folder"))

    client.create_request()  # type: ignore[call-arg]  # of what?
    client.create_request("https://h/f", "delete")  # type: ignore[arg-type]  # it takes no such
    request.tag()  # type: ignore[call-arg]  # which?
    request.force_tag = 5  # type: ignore[assignment]  # a text


async def awaited(client: AsyncBuffyClient) -> None:
    request = await client.create_request("https://h/f", hold_request_order=True)
    assert_type(request, AsyncRequest)
    assert_type(await request.order(), None)
    assert_type(await request.wait(), Response)
    assert_type(await request.unpin(), str)
    assert_type(await request.get_next_version(), str | None)
    assert_type(request.response_version, str | None)
    assert_type(request.download_response_content(65536), AsyncStream)
    saved: Any = await request.download_response_content_to("file")
    assert saved
