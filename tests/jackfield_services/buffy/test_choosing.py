"""Which version is served: a table, and a slow model that says the same in other words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_services.buffy.buffy_world import one

from jackfield_services.buffy import BuffyCacheEmptyError, BuffyNoMatchError, Response, ResponseDownloadStats
from jackfield_services.buffy._choosing import Wishes, choose, neighbour, original

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)
NAMES = ["20261120000001", "20261120000002", "20261120000003", "20261120000004"]


def versions(*told: Any) -> list[Response]:
    """One for each, the newest first, as a server lists them: a status, or a status and more."""
    pairs: list[tuple[str, dict[str, Any]]] = [(each, {}) if isinstance(each, str) else each for each in told]
    made = [one(name, status, **more) for name, (status, more) in zip(NAMES[: len(pairs)], pairs[::-1], strict=True)]
    return made[::-1]


def chosen(responses: list[Response], **wishes: Any) -> int | None:
    """Which of them: 0 is the newest."""
    found = choose(responses, Wishes(**wishes), NOW)
    return None if found is None else responses.index(found)


R, W, P, F, D = "ready", "wait", "in_progress", "failed", "duplicate"
TAGGED: dict[str, Any] = {"tags": ["good", "ok"]}
PINNED: dict[str, Any] = {"pinned": True}
BOTH: dict[str, Any] = TAGGED | PINNED
UNTIL: dict[str, Any] = {"pinned_until_utc": LATER}
ENDED: dict[str, Any] = {"pinned_until_utc": EARLIER}


@pytest.mark.parametrize(
    ("told", "wishes", "index"),
    [
        ([], {}, None),
        ([], {"prefer_cached": False, "prefer_tag": "x", "prefer_pinned": True, "prefer_version": "x"}, None),
        ([R], {}, 0),
        ([R, R], {}, 0),
        ([W], {}, 0),
        ([P, R], {}, 1),
        ([W, P, R, R], {}, 2),
        ([P, R], {"prefer_cached": False}, 0),
        ([P, W], {}, 0),
        (["cleaning", R], {}, 1),
        (["cleaning"], {}, 0),
        # What failed is passed over, unless that is not wanted.
        ([F, R], {}, 1),
        ([F, R], {"prefer_cached": False}, 1),
        ([F, P, R], {"prefer_cached": False}, 1),
        ([F, P, R], {}, 2),
        ([F, W], {}, 1),
        ([R, F], {"fallback": False}, 0),
        ([P, F, R], {"fallback": False}, 2),
        ([F, R], {"fallback": False, "prefer_version": NAMES[0]}, 1),
        ([F, (R, TAGGED)], {"fallback": False, "prefer_tag": "good"}, 1),
        # What is preferred is served if it is there; the pin is dropped first, then the tag.
        ([R, (R, TAGGED)], {"prefer_tag": "good"}, 1),
        ([R, (R, TAGGED)], {"prefer_tag": "ok"}, 1),
        ([R, (R, TAGGED)], {"prefer_tag": "goo"}, 0),
        ([R, (R, PINNED)], {"prefer_pinned": True}, 1),
        ([R, (R, UNTIL)], {"prefer_pinned": True}, 1),
        ([R, (R, ENDED)], {"prefer_pinned": True}, 0),
        ([(R, PINNED), R], {"prefer_pinned": False}, 0),
        ([R, (R, TAGGED), (R, PINNED)], {"prefer_pinned": True, "prefer_tag": "good"}, 1),
        ([R, (R, TAGGED), (R, BOTH)], {"prefer_pinned": True, "prefer_tag": "good"}, 2),
        ([R, (P, BOTH), (R, TAGGED)], {"prefer_pinned": True, "prefer_tag": "good"}, 2),
        ([R, (P, TAGGED)], {"prefer_tag": "good"}, 0),
        ([R, (P, TAGGED)], {"prefer_tag": "good", "prefer_cached": False}, 1),
        ([R, R, R], {"prefer_version": NAMES[0]}, 2),
        ([R, W, R], {"prefer_version": NAMES[1]}, 1),
        ([R, (R, BOTH), R], {"prefer_version": NAMES[0], "prefer_tag": "good", "prefer_pinned": True}, 2),
        ([R, F], {"prefer_version": NAMES[0]}, 0),
        ([R, R], {"prefer_version": "19990101000000"}, 0),
        # What is forced holds, all of it.
        ([R, R], {"force_version": NAMES[0]}, 1),
        ([R, W], {"force_version": NAMES[0]}, 1),
        ([R, (R, TAGGED)], {"force_tag": "good"}, 1),
        ([R, (P, TAGGED)], {"force_tag": "good"}, 1),
        ([R, (R, PINNED), (R, PINNED)], {"force_pinned": True}, 1),
        ([R, (R, UNTIL)], {"force_pinned": True}, 1),
        ([(R, PINNED), R], {"force_pinned": False}, 0),
        ([R, (R, PINNED), (R, BOTH)], {"force_pinned": True, "force_tag": "good"}, 2),
        ([(F, TAGGED), (R, TAGGED)], {"force_tag": "good"}, 1),
        ([F, (R, TAGGED)], {"force_tag": "good", "fallback": False}, 1),
        ([(R, TAGGED), R, (R, TAGGED)], {"force_tag": "good", "prefer_version": NAMES[1]}, 0),
        ([R, R], {"force_version": "", "force_tag": ""}, 0),
    ],
)
def test_which_version_is_served(told: list[Any], wishes: dict[str, Any], index: int | None) -> None:
    assert chosen(versions(*told), **wishes) == index


@pytest.mark.parametrize(
    ("told", "wishes", "says"),
    [
        ([], {"force_version": "x"}, "version 'x'"),
        ([], {"force_tag": "good"}, "tag 'good'"),
        ([], {"force_pinned": True}, "pinned"),
        ([R], {"force_version": "x"}, "version 'x'"),
        ([R], {"force_tag": "good"}, "tag 'good'"),
        ([(R, ENDED)], {"force_pinned": True}, "pinned"),
        ([(R, PINNED), (R, TAGGED)], {"force_pinned": True, "force_tag": "good"}, "pinned, tag 'good'"),
        ([(R, TAGGED), R], {"force_version": NAMES[0], "force_tag": "good"}, f"version '{NAMES[0]}', tag 'good'"),
        ([P], {"force_tag": "good"}, "tag 'good'"),
    ],
)
def test_what_is_forced_and_not_there_is_a_value_error(told: list[Any], wishes: dict[str, Any], says: str) -> None:
    with pytest.raises(BuffyNoMatchError, match=f"as it must be: {re.escape(says)}$") as caught:
        chosen(versions(*told), **wishes)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("told", "wishes"),
    [
        ([F], {}),
        ([F, F], {"prefer_cached": False}),
        ([F, R], {"fallback": False}),
        ([F, P, R], {"fallback": False, "prefer_cached": False}),
        ([(F, TAGGED), R], {"force_tag": "good"}),
        ([R, F], {"force_version": NAMES[0]}),
    ],
)
def test_what_could_not_be_fetched(told: list[Any], wishes: dict[str, Any]) -> None:
    with pytest.raises(BuffyCacheEmptyError, match="could not be fetched"):
        chosen(versions(*told), **wishes)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (None, "the server does not say why"),
        ("", "the server does not say why"),
        ("Traceback\n  File\nrequests.HTTPError: 404\n", "requests.HTTPError: 404"),
        ("HTTPError: for url: http://h/f?key=s3cr3t&b='c", "HTTPError: for url: http://h/f?***'c"),
        ("x" * 1000, "x" * 500),
    ],
)
def test_the_error_has_the_last_line_and_no_query(error: str | None, says: str) -> None:
    failed = one(status=F, download_stats=ResponseDownloadStats(error=error))
    with pytest.raises(BuffyCacheEmptyError) as caught:
        choose([failed], Wishes(), NOW)

    assert caught.value.text == says
    assert str(caught.value).endswith(f"no other is kept: {says}")


def test_a_failure_of_which_nothing_is_told() -> None:
    with pytest.raises(BuffyCacheEmptyError, match="does not say why"):
        choose([one(status=F)], Wishes(), NOW)


# Duplicates


@pytest.mark.parametrize(
    ("told", "index"),
    [
        ([(D, {"content_hash_hex": "a"}), (R, {"content_hash_hex": "a"})], 1),
        ([(D, {"content_hash_hex": "a"}), (R, {"content_hash_hex": "b"}), (R, {"content_hash_hex": "a"})], 2),
        ([(D, {"content_hash_hex": "a"}), (D, {"content_hash_hex": "a"}), (R, {"content_hash_hex": "a"})], 2),
        ([(D, {"content_hash_hex": "a"}), (R, {"content_hash_hex": "a"}), (R, {"content_hash_hex": "a"})], 1),
        ([(D, {"content_hash_hex": "a"}), (R, {"content_hash_hex": "b"})], 0),
        ([(D, {"content_hash_hex": "a"}), (F, {"content_hash_hex": "a"})], 0),
        ([D, R], 0),
    ],
)
def test_a_duplicate_is_what_it_duplicates(told: list[Any], index: int) -> None:
    responses = versions(*told)

    assert chosen(responses, prefer_cached=False) == index
    assert original(responses[0], responses[::-1]) is responses[index]


def test_what_is_no_duplicate_is_itself() -> None:
    responses = versions((R, {"content_hash_hex": "a"}), (R, {"content_hash_hex": "a"}))
    assert original(responses[1], responses) is responses[1]


# Neighbours


@pytest.mark.parametrize(
    ("told", "index", "newer", "older"),
    [
        ([R], 0, None, None),
        ([R, R, R, R], 1, 0, 2),
        ([R, R, R, R], 2, 1, 3),
        ([R, F, D, R], 0, None, 3),
        ([R, F, D, R], 3, 0, None),
        ([P, R, W], 1, None, None),
        ([R, D, R], 1, 0, 2),
    ],
)
def test_neighbours_are_the_next_that_are_ready(
    told: list[Any], index: int, newer: int | None, older: int | None
) -> None:
    responses = versions(*told)
    name = responses[index].version
    for listed in (responses, responses[::-1]):
        assert neighbour(listed, name, newer=True) == (None if newer is None else responses[newer].version)
        assert neighbour(listed, name, newer=False) == (None if older is None else responses[older].version)


def test_neighbours_of_a_version_that_is_gone() -> None:
    responses = versions(R, R)
    assert neighbour(responses, "20261120000001.5", newer=True) == NAMES[1]
    assert neighbour(responses, "20261120000001.5", newer=False) == NAMES[0]


# The same, said in another way


def _model(responses: list[Response], wishes: Wishes) -> Response | str | None:
    """Slow: asks of each pair of versions which is better; "no match" or "empty" for the errors."""

    def pinned(a: Response) -> bool:
        return a.pinned or bool(a.pinned_until_utc and a.pinned_until_utc > NOW)

    def forced(a: Response) -> bool:
        if wishes.force_version and a.version != wishes.force_version:
            return False
        if wishes.force_tag and wishes.force_tag not in a.tags:
            return False
        return pinned(a) or not wishes.force_pinned

    def rank(a: Response) -> tuple[Any, ...]:
        is_version = a.version == wishes.prefer_version
        has_pin = not wishes.prefer_pinned or pinned(a)
        has_tag = not wishes.prefer_tag or wishes.prefer_tag in a.tags
        is_ready = not wishes.prefer_cached or a.status in (R, D)
        # A pin counts with the tag only, and the tag with being ready only.
        return is_version, is_ready and has_tag and has_pin, is_ready and has_tag, is_ready, a.version

    meant = [a for a in responses if forced(a)]
    if not meant:
        return "no match" if wishes.force_version or wishes.force_tag or wishes.force_pinned else None
    fetched = [a for a in meant if a.status != F]
    if not fetched:
        return "empty"
    best = max(fetched, key=rank)
    asked_by_name = best.version == wishes.prefer_version or (wishes.prefer_tag and wishes.prefer_tag in best.tags)
    if max(meant, key=lambda a: a.version).status == F and not wishes.fallback and not asked_by_name:
        return "empty"
    if best.status == D and best.content_hash_hex:
        twins = [a for a in responses if a.status == R and a.content_hash_hex == best.content_hash_hex]
        return max(twins, key=lambda a: a.version, default=best)
    return best


_each = st.tuples(
    st.sampled_from([R, W, P, F, D, "cleaning"]),
    st.fixed_dictionaries(
        {
            "tags": st.sampled_from([[], ["good"], ["ok", "good"]]),
            "pinned": st.booleans(),
            "pinned_until_utc": st.sampled_from([None, LATER, EARLIER]),
            "content_hash_hex": st.sampled_from([None, "a", "b"]),
        }
    ),
)
_flag = st.sampled_from([None, False, True])
_tag = st.sampled_from([None, "", "good", "ok", "other"])
_name = st.sampled_from([None, "", *NAMES])
_wishes = st.builds(
    Wishes,
    prefer_cached=st.booleans(),
    prefer_pinned=_flag,
    prefer_version=_name,
    prefer_tag=_tag,
    force_pinned=_flag,
    force_version=_name,
    force_tag=_tag,
    fallback=st.booleans(),
)


@settings(deadline=None, max_examples=500)
@given(st.lists(_each, max_size=4), _wishes, st.randoms(use_true_random=False))
def test_the_model_chooses_the_same_in_whatever_order(told: list[Any], wishes: Wishes, chance: Any) -> None:
    responses = versions(*told)
    listed = responses.copy()
    chance.shuffle(listed)
    expected = _model(responses, wishes)

    try:
        found: Any = choose(listed, wishes, NOW)
    except BuffyNoMatchError:
        found = "no match"
    except BuffyCacheEmptyError:
        found = "empty"
    assert found is expected if isinstance(expected, Response) else found == expected


def test_the_model_chooses_the_same_of_any_two() -> None:
    extras: list[dict[str, Any]] = [{}, TAGGED, PINNED]
    each = [(status, extra) for status in (R, P, F) for extra in extras]
    for told in product(each, each):
        for cached, tag, pin in product([True, False], [None, "good"], [None, True]):
            wishes = Wishes(prefer_cached=cached, prefer_tag=tag, prefer_pinned=pin)
            responses = versions(*told)
            expected = _model(responses, wishes)
            if expected == "empty":
                continue
            assert choose(responses, wishes, NOW) is expected, (told, wishes)
