"""Versions: which there are, which is served, and what can be done to them."""

from __future__ import annotations

from functools import partial

import pytest
from tests.servers.origin import Origin

from jackfield_services.buffy import (
    BuffyNoMatchError,
    BuffyUnknownError,
    BuffyValueError,
    ReCachingStrategy,
    RequestCacheConfiguration,
)

from .asking import WITH_EACH, Api, later, named

MANY = RequestCacheConfiguration(recaching_strategy=WITH_EACH.recaching_strategy, max_cached_unpinned_versions=9)


def changed(api: Api, origin: Origin, content: bytes) -> None:
    """The origin has something else."""
    origin.things["/changing"].data = content


def test_each_order_has_a_version_where_that_is_the_strategy(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/changing"), cache_configuration=WITH_EACH)
    assert api.content(request) == b"first"
    first = request.response_version

    changed(api, origin, b"second")
    second = api.again(request)

    assert (second.status, request.response_version) == ("ready", second.version)
    assert api.content(request) == b"second"
    assert named(api.versions(request)) == [second.version, first]
    assert api.get(request.get_previous_version()) == first
    assert api.get(request.get_next_version()) is None
    request.prefer_version = first
    assert api.content(request) == b"first"
    assert api.get(request.get_next_version()) == second.version


def test_what_has_not_changed_is_a_duplicate_and_serves_the_same(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/changing"), cache_configuration=WITH_EACH)
    first = api.get(request.wait())

    duplicate = api.again(request)

    assert duplicate.status == "duplicate"
    assert api.content(request) == b"first"
    assert request.response_version == first.version
    assert named(api.versions(request)) == [first.version]
    assert duplicate.version in named(api.versions(request, status=None))


def test_what_is_never_fetched_again_stays_as_it_was(api: Api, origin: Origin) -> None:
    never = RequestCacheConfiguration(recaching_strategy=ReCachingStrategy.never())
    request = api.request(origin.url("/changing"), cache_configuration=never)
    api.get(request.wait())

    changed(api, origin, b"second")
    api.next_second()
    api.get(request.order(prefer_cached=False))

    assert api.content(request) == b"first"
    assert origin.asked["GET /changing"] == 1


def test_a_pinned_version_outlives_the_others(api: Api, origin: Origin) -> None:
    one = RequestCacheConfiguration(recaching_strategy=WITH_EACH.recaching_strategy, max_cached_unpinned_versions=1)
    request = api.request(origin.url("/changing"), cache_configuration=one)
    pinned = api.get(request.wait()).version
    api.get(request.pin())
    changed(api, origin, b"second")
    middle = api.again(request).version
    changed(api, origin, b"third")
    last = api.again(request).version

    if not api.is_real:
        later(api.server, 61)  # it is time to clean up
    left = api.until(lambda: None if middle in (found := named(api.versions(request))) else found)

    assert left == [last, pinned]
    api.next_second()  # the order brings a version, too
    api.get(request.order(force_pinned=True))
    assert api.content(request) == b"first"


def test_a_version_is_tagged_found_by_it_and_untagged(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/changing"), cache_configuration=MANY)
    tagged = api.get(request.wait()).version

    assert api.get(request.tag("my-best-version")) == tagged
    changed(api, origin, b"second")
    newer = api.again(request).version
    assert named(api.versions(request)) == [newer, tagged]
    assert named(api.versions(request, tag="my-best-version")) == [tagged]
    api.next_second()  # the order brings a version, too
    api.get(request.order(prefer_tag="my-best-version"))
    assert api.content(request) == b"first"

    assert api.get(request.tag("my-best-version", remove_tag=True)) == tagged
    assert api.versions(request, tag="my-best-version") == []
    assert api.get(request.tag("my-best-version", remove_tag=True)) == tagged
    assert tagged in named(api.versions(request))  # and the server is there


def test_what_is_served_stays_until_it_is_ordered_again(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/changing"), cache_configuration=WITH_EACH)
    first = api.get(request.wait())
    changed(api, origin, b"second")
    other = api.request(origin.url("/changing"), cache_configuration=WITH_EACH, hold_request_order=True)
    second = api.again(other, known=request)

    assert api.get(api.client.look(request.state)).value.version == first.version
    assert api.content(request) == b"first"
    api.next_second()
    api.get(request.order(prefer_version=second.version))
    assert api.content(request) == b"second"


def test_a_version_is_pinned_and_let_go(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/blob"))
    version = api.get(request.wait()).version

    assert api.get(request.pin()) == version
    assert request.state.bound.pinned
    assert api.versions(request)[0].pinned
    assert api.get(request.unpin(version)) == version
    assert not request.state.bound.pinned
    assert not api.versions(request)[0].pinned


def test_a_version_that_is_not_there_cannot_be_pinned_or_tagged(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/blob"))

    with pytest.raises(BuffyValueError, match="response_version"):
        api.get(request.pin())
    for call in (request.pin, request.unpin, partial(request.tag, "good")):
        with pytest.raises(BuffyUnknownError, match="19990101000000"):
            api.get(call(response_version="19990101000000"))


@pytest.mark.parametrize("forced", [{"force_tag": "nothing-has-it"}, {"force_version": "19990101000000"}])
def test_what_is_forced_must_be_there(api: Api, origin: Origin, forced: dict[str, str]) -> None:
    request = api.request(origin.url("/blob"))
    api.get(request.wait())

    api.get(request.order(**forced))
    with pytest.raises(ValueError, match=next(iter(forced.values()))) as caught:
        api.content(request)

    assert isinstance(caught.value, BuffyNoMatchError)


def test_groups_do_not_see_each_other(api: Api, origin: Origin) -> None:
    ours = api.request(origin.url("/changing"))
    assert api.content(ours) == b"first"
    changed(api, origin, b"second")

    with Api(api.colour, api.server, f"{api.group}-other") as others:
        theirs = others.request(origin.url("/changing"))

        assert theirs.id != ours.id
        assert others.content(theirs) == b"second"

    assert api.content(ours) == b"first"
    assert [one.id for one in api.get(api.client.list_requests(group_name=api.group))] == [ours.id]


def test_versions_are_listed_in_parts(api: Api, origin: Origin) -> None:
    request = api.request(origin.url("/changing"), cache_configuration=MANY)
    api.get(request.wait())
    for content in (b"second", b"third"):
        changed(api, origin, content)
        api.again(request)

    names = named(api.versions(request, limit=0))

    assert names == sorted(names, reverse=True)
    assert len(names) == 3
    assert named(api.versions(request, limit=2)) == names[:2]
    assert named(api.versions(request, skip=2, limit=2)) == names[2:]
    assert named(api.versions(request, skip=1, limit=0)) == names[1:]
