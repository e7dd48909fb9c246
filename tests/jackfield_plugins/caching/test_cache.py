"""The cache in a client: what is answered from it, what is sent, what is kept, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.clients import COLOURS
from tests.jackfield_plugins.caching.asking import DATE, URL, Api, Asking, Watching, answer, did
from tests.jackfield_plugins.caching.test_failing_stores import Failing

from jackfield import (
    AsyncClient,
    BodyTooLargeError,
    CacheHit,
    CacheMiss,
    CacheNotStored,
    CacheStored,
    Call,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    NotFoundError,
    Proceed,
    ReadTimeoutError,
    Request,
    Response,
    ServiceError,
    Stage,
    Step,
    UnavailableError,
    hookimpl,
)
from jackfield.testing import CutBody, FakeTransport, SimulatedRuntime
from jackfield_plugins.auth import Bearer
from jackfield_plugins.caching import Cache, CacheStats, MemoryStore, Stored
from jackfield_plugins.retry import Retry

both = pytest.mark.parametrize("colour", COLOURS)


class AsyncApiClient(Api, AsyncClient): ...


@both
def test_a_fresh_answer_is_given_again_and_nothing_is_sent(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one", etag='"1"')]) as api:
        first = api()
        api.wait(59)
        second = api()

    assert api.asked == 1
    assert (first.status, second.status) == (200, 200)
    assert first.body == second.body == b"one"
    assert second.headers["etag"] == '"1"'
    assert second.headers["age"] == "59"
    assert "age" not in first.headers


@both
def test_it_is_asked_for_again_when_its_time_is_up(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one"), answer(b"two")]) as api:
        api()
        api.wait(60)

        assert api().body == b"two"
        assert api().body == b"two"
    assert api.asked == 2


@both
def test_a_304_makes_it_fresh_again_with_the_fields_that_came_with_it(colour: str) -> None:
    later = "Tue, 14 Nov 2023 22:15:00 GMT"
    answers = [answer(b"one", etag='"1"', x_a="old", x_b="kept"), answer(b"", status=304, date=later, x_a="new")]
    with Asking(colour, Cache(), [answers[0], Response(304, {**answers[1].headers, "Date": later})]) as api:
        api()
        api.wait(100)
        validated = api()
        again = api()

    assert api.asked == 2
    assert api.fake.requests[1].headers["if-none-match"] == '"1"'
    for response in (validated, again):
        assert (response.status, response.body) == (200, b"one")
        assert (response.headers["x-a"], response.headers["x-b"]) == ("new", "kept")
    assert did(validated) == "jackfield; fwd=stale; fwd-status=304; stored"
    assert did(again) == "jackfield; hit; ttl=60"


@both
def test_a_304_that_may_not_be_kept_is_given_once_and_forgotten(colour: str) -> None:
    answers = [answer(b"one", etag='"1"'), answer(b"", "no-store", 304), answer(b"two")]
    with Asking(colour, Cache(), answers) as api:
        api()
        api.wait(100)

        assert api().body == b"one"
        assert api().body == b"two"
    assert "if-none-match" not in api.fake.requests[2].headers


@both
def test_an_answer_in_place_of_a_304_takes_the_place_of_what_was_kept(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one", etag='"1"'), answer(b"two", etag='"2"')]) as api:
        api()
        api.wait(100)

        assert api().body == b"two"
        assert api().body == b"two"
    assert api.asked == 2


@both
def test_an_answer_that_may_not_be_kept_drops_what_was_kept_before(colour: str) -> None:
    cache = Cache()
    with Asking(colour, cache, [answer(b"one", etag='"1"'), answer(b"two", "no-store")]) as api:
        api()
        api.wait(100)

        assert api().body == b"two"
    assert cache.stats().entries == 0


@both
@pytest.mark.parametrize(("status", "kept"), [(500, 1), (429, 1), (403, 1), (404, 0), (410, 0)])
def test_an_error_drops_what_was_kept_before_only_if_it_is_gone(colour: str, status: int, kept: int) -> None:
    cache = Cache()
    with Asking(colour, cache, [answer(b"one", etag='"1"'), Response(status, {"cache-control": "no-store"})]) as api:
        api()
        api.wait(100)
        with pytest.raises(ServiceError, match=str(status)):
            api()

    assert cache.stats().entries == kept


@both
def test_a_304_that_nobody_asked_for_is_given_as_it_is(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one"), answer(b"", status=304)]) as api:
        api()
        api.wait(100)  # and it has no validator to ask by

        assert api().status == 304


@both
def test_the_callers_own_304_is_theirs(colour: str) -> None:
    with Asking(colour, Cache(), [answer(etag='"1"'), answer(b"", status=304)]) as api:
        api()

        response = api(headers={"If-None-Match": '"1"'})

    assert response.status == 304
    assert api.asked == 2


@both
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_sent_each_time(colour: str, method: str) -> None:
    with Asking(colour, Cache(), otherwise=answer()) as api:
        api("r", method)
        response = api("r", method)

    assert api.asked == 2
    assert did(response) == "jackfield; fwd=method"


@both
def test_a_get_with_a_body_is_sent_each_time_and_not_kept(colour: str) -> None:
    cache = Cache()
    with Asking(colour, cache, otherwise=answer()) as api:
        api(body=b"query")
        response = api(body=b"query")

    assert api.asked == 2
    assert did(response) == "jackfield; fwd=bypass"
    assert cache.stats().entries == 0


@both
def test_head_is_answered_from_what_get_has_kept(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one")]) as api:
        api()
        head = api("r", "HEAD")

    assert api.asked == 1
    assert (head.status, head.body) == (200, b"")


@both
def test_get_is_not_answered_from_head(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b""), answer(b"one")]) as api:
        api("r", "HEAD")

        assert api().body == b"one"


@both
def test_rfc_9111_4_3_5_head_freshens_what_get_has_kept(colour: str) -> None:
    later = "Tue, 14 Nov 2023 22:15:00 GMT"
    answers = [answer(b"one", etag='"1"', content_length="3"), answer(b"", etag='"1"', content_length="3")]
    fresh = Response(200, {**answers[1].headers, "Date": later})
    with Asking(colour, Cache(), [answers[0], fresh]) as api:
        api()
        api.wait(100)
        api("r", "HEAD")

        assert api().body == b"one"
    assert api.asked == 2


@both
def test_rfc_9111_4_3_5_head_with_another_validator_makes_it_stale(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one", etag='"1"'), answer(b"", etag='"2"'), answer(b"two")]) as api:
        api()
        api.wait(100)
        api("r", "HEAD")

        assert api().body == b"two"


@both
def test_a_head_is_validated_by_a_304(colour: str) -> None:
    later = "Tue, 14 Nov 2023 22:15:00 GMT"
    fresh = Response(304, {**answer(etag='"1"').headers, "Date": later})
    with Asking(colour, Cache(), [answer(b"one", etag='"1"'), fresh]) as api:
        api()
        api.wait(100)
        head = api("r", "HEAD")

        assert (head.status, head.body) == (200, b"")
        assert api().body == b"one"
    assert api.asked == 2


@both
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_rfc_9111_4_4_an_unsafe_request_makes_what_is_kept_of_its_url_invalid(colour: str, method: str) -> None:
    with Asking(colour, Cache(), [answer(b"one"), answer(b""), answer(b"two")]) as api:
        api()
        api("r", method)

        assert api().body == b"two"


@both
def test_rfc_9111_4_4_and_what_its_location_names_within_the_origin(colour: str) -> None:
    answers = [answer(b"one"), answer(b"", status=201, location="/r"), answer(b"two")]
    with Asking(colour, Cache(), answers) as api:
        api("r")
        api("things", "POST")

        assert api("r").body == b"two"


@both
def test_rfc_9111_4_4_an_error_makes_nothing_invalid(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one"), Response(500), answer(b"two")]) as api:
        api()
        with pytest.raises(Exception, match="500"):
            api("r", "POST")

        assert api().body == b"one"


@both
def test_an_unsafe_request_that_may_have_been_carried_out_makes_it_invalid(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one"), ConnectionLostError("cut"), answer(b"two")]) as api:
        api()
        with pytest.raises(ConnectionLostError):
            api("r", "POST")

        assert api().body == b"two"


@both
def test_an_unsafe_request_that_was_not_sent_makes_nothing_invalid(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one"), ConnectError("refused")]) as api:
        api()
        with pytest.raises(ConnectError):
            api("r", "POST")

        assert api().body == b"one"


@both
def test_what_became_invalid_while_it_was_under_way_is_not_kept(colour: str) -> None:
    cache = Cache()

    def posted(request: Request) -> Response:
        other.client.ask("r", "POST")  # was answered meanwhile
        return answer(b"old")

    with (
        Asking("sync", cache, [answer(b"")]) as other,
        Asking(colour, cache, [posted, answer(b"new")]) as api,
    ):
        assert api().body == b"old"
        assert api().body == b"new"


@both
def test_nor_what_became_invalid_while_it_was_put_down(colour: str) -> None:
    class Slow(MemoryStore):
        def put(self, place: bytes, owner: bytes, entry: Stored, moment: int) -> bool:
            if entry.body == b"old":
                self.remove(place)  # another client's POST was answered meanwhile
            return super().put(place, owner, entry, moment)

    watching = Watching()
    with Asking(colour, Cache(Slow()), [answer(b"old"), answer(b"new")], watching) as api:
        response = api()
        assert (response.body, did(response)) == (b"old", "jackfield; fwd=uri-miss")
        assert api().body == b"new"
        assert api().body == b"new"

    [told] = watching.named(CacheNotStored)
    assert told.reason == "it is older than what was kept or forgotten while it was under way"


@both
def test_what_was_under_way_when_the_cache_was_cleared_is_not_kept(colour: str) -> None:
    cache = Cache()

    def cleared(request: Request) -> Response:
        cache.clear()
        return answer(b"old")

    with Asking(colour, cache, [cleared, answer(b"new")]) as api:
        assert api().body == b"old"
        assert api().body == b"new"


@both
def test_clear_forgets_everything(colour: str) -> None:
    cache = Cache()
    with Asking(colour, cache, [answer(b"one"), answer(b"two")]) as api:
        api()
        cache.clear()

        assert cache.stats().entries == 0
        assert api().body == b"two"


@both
def test_only_if_cached_is_answered_or_refused_and_never_sent(colour: str) -> None:
    wish = {"Cache-Control": "only-if-cached"}
    with Asking(colour, Cache(), [answer(b"one")]) as api:
        with pytest.raises(UnavailableError) as caught:
            api(headers=wish)
        api()

        assert api(headers=wish).body == b"one"
    assert caught.value.status == 504
    assert caught.value.response is not None
    assert did(caught.value.response).startswith('jackfield; detail="')
    assert api.asked == 1


@both
def test_an_error_that_may_be_kept_is_raised_again_without_asking(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"gone", status=404, content_length="4")]) as api:
        for _ in range(2):
            with pytest.raises(NotFoundError) as caught:
                api()
            assert caught.value.response is not None
            assert caught.value.response.body == b"gone"
    assert api.asked == 1


@both
@pytest.mark.parametrize(
    "broken",
    [
        answer(CutBody(b"gone", after=2), status=404, content_length="4"),
        answer(b"x" * 70_000, status=404),
    ],
    ids=["cut", "long"],
)
def test_an_errors_body_that_was_not_read_to_its_end_is_not_kept(colour: str, broken: Response) -> None:
    with Asking(colour, Cache(), otherwise=broken) as api:
        for _ in range(2):
            with pytest.raises(NotFoundError):
                api()

    assert api.asked == 2


@both
def test_an_error_after_one_whose_body_was_cut_is_kept(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"x" * 70_000, status=503), answer(b"gone", status=404)], Retry()) as api:
        for _ in range(2):
            with pytest.raises(NotFoundError):
                api()

    assert api.asked == 2


@both
def test_so_is_a_good_answer_after_one_whose_body_was_cut(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"x" * 70_000, status=503), answer(b"one")], Retry()) as api:
        assert api().body == api().body == b"one"


@both
def test_redirects_are_kept_each_for_itself(colour: str) -> None:
    answers = [answer(b"", status=301, location="/there"), answer(b"there")]
    with Asking(colour, Cache(), answers) as api:
        assert api().body == api().body == b"there"
    assert api.asked == 2


@both
def test_a_body_above_max_entry_passes_and_is_not_kept(colour: str) -> None:
    watching = Watching()
    with Asking(colour, Cache(max_entry=3), [answer(b"abc"), answer(b"abcd"), answer(b"abcd")], watching) as api:
        api("small")
        api("small")
        assert api("large").body == b"abcd"
        assert api("large").body == b"abcd"

    assert api.asked == 3
    assert [event.reason for event in watching.named(CacheNotStored)] == ["its body is longer than 3 bytes"] * 2


@both
@pytest.mark.parametrize(
    "failure", [Response(500), Response(502), Response(503), Response(504), ConnectError("x"), ReadTimeoutError("x")]
)
def test_rfc_5861_4_a_stale_answer_is_given_when_the_service_fails(colour: str, failure: Any) -> None:
    watching = Watching()
    answers = [answer(b"one", "max-age=60, stale-if-error=100"), failure, failure]
    with Asking(colour, Cache(), answers, watching) as api:
        api()
        api.wait(100)
        stale = api()
        api.wait(100)
        with pytest.raises(Exception):  # noqa: B017, PT011 - the failure's own
            api()

    name = str(failure.status) if isinstance(failure, Response) else type(failure).__name__
    assert stale.body == b"one"
    assert did(stale) == f'jackfield; fwd=stale; detail="{name}"; ttl=-40'
    assert watching.named(CacheHit)[0].kind == "stale"


@both
@pytest.mark.parametrize("failure", [Response(501), Response(404), Response(429)])
def test_rfc_5861_4_another_answer_is_no_failure(colour: str, failure: Response) -> None:
    with Asking(colour, Cache(), [answer(b"one", "max-age=60, stale-if-error=100"), failure]) as api:
        api()
        api.wait(100)
        with pytest.raises(Exception, match=str(failure.status)):
            api()


@both
def test_rfc_5861_4_it_is_tried_again_first(colour: str) -> None:
    answers = [answer(b"one", "max-age=60, stale-if-error=100"), Response(503), answer(b"two")]
    with Asking(colour, Cache(), answers, Retry()) as api:
        api()
        api.wait(100)

        assert api().body == b"two"


@both
def test_events_tell_what_the_cache_did(colour: str) -> None:
    watching = Watching()
    answers = [answer(b"one", etag='"1"'), answer(b"", "max-age=200", 304), answer(b"", "no-store")]
    with Asking(colour, Cache(), answers, watching, visible_query=["q"]) as api:
        query = {"q": "tea", "token": "secret"}
        api(query=query)
        api.wait(10)
        api(query=query)
        api.wait(90)
        api(query=query)
        api("other")

    url = "https://api.example/r?q=tea&token=***"
    told = watching.named(CacheHit, CacheMiss, CacheStored, CacheNotStored)
    assert told[:2] == [CacheStored("ask", url, 3, 60.0), CacheMiss("ask", "GET", url, told[1].reason)]
    assert told[2] == CacheHit("ask", "GET", url, "fresh", 10.0, 60.0)
    assert told[3] == CacheStored("ask", url, 3, 200.0)
    assert (told[4].kind, told[4].lifetime) == ("validated", 200.0)
    assert isinstance(told[5], CacheNotStored)
    assert told[5].reason
    assert isinstance(told[6], CacheMiss)


@both
def test_stats_count_what_it_did(colour: str) -> None:
    cache = Cache()
    with Asking(colour, cache, [answer(b"one", etag='"1"'), answer(b"", status=304)]) as api:
        api()
        api()
        api()
        api.wait(100)
        api()
    stats = cache.stats()

    assert stats[:5] == (2, 0, 1, 0, 1)
    assert stats.entries == 1
    assert stats.size > 3
    assert stats._fields[:5] == ("fresh", "stale", "validated", "shared", "missed")
    assert isinstance(stats, CacheStats)


@both
def test_the_clients_cache_is_at_hand(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one"), answer(b"two")]) as api:
        api()
        assert api.client.cache.stats().entries == 1
        api.client.cache.clear()

        assert api().body == b"two"


@both
def test_rfc_9111_3_5_a_shared_cache_keeps_what_credentials_brought_only_if_it_may(colour: str) -> None:
    for control, asked in (("max-age=60", 2), ("public, max-age=60", 1), ("s-maxage=60", 1)):
        with Asking(colour, Cache(shared=True), [answer(b"one", control)] * 2, Bearer("secret")) as api:
            api()
            api()
        assert api.asked == asked


@both
def test_one_cache_serves_many_clients(colour: str) -> None:
    cache = Cache()
    with Asking(colour, cache, [answer(b"one")]) as api:
        api()
    with Asking("sync", cache) as other:
        assert other().body == b"one"
    with Asking("async", cache) as other:
        assert other().body == b"one"


@both
def test_cache_status_is_added_to_what_other_caches_said(colour: str) -> None:
    with Asking(colour, Cache(), [answer(cache_status="cdn; hit")]) as api:
        assert did(api()) == "cdn; hit, jackfield; fwd=uri-miss; stored"
        assert did(api()) == "cdn; hit, jackfield; hit; ttl=60"


@both
def test_explain_tells_what_the_cache_would_do_and_sends_nothing(colour: str) -> None:
    def notes(path: str = "r", method: str = "GET", **parts: Any) -> str:
        [note] = api.get(api.client.ask.explain(path, method, **parts)).notes
        assert isinstance(note, str)
        return note

    with Asking(colour, Cache(), [answer(b"one", "max-age=60, stale-while-revalidate=9", etag='"1"')]) as api:
        assert notes() == "cache: would be sent, and the answer kept if it may be: nothing is stored"
        api()
        api.wait(10)
        assert notes().startswith("cache: would be answered from the cache, and nothing sent: ")
        assert notes().endswith(" (age 10 s of 60 s)")
        api.wait(55)
        assert notes().startswith("cache: would be answered from the cache, and refreshed in the background: ")
        api.wait(100)
        assert notes().startswith("cache: would ask whether the answer in the cache is still good: ")
        assert notes("r", "POST").startswith("cache: would pass the cache by: ")
        wish = {"Cache-Control": "only-if-cached"}
        assert notes("x", headers=wish).startswith("cache: would be answered with 504, and nothing sent: ")
    assert api.asked == 1


@both
def test_the_request_that_would_be_sent_bears_its_conditions(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one", etag='"1"')]) as api:
        api()
        fresh = api.get(api.client.ask.request())
        api.wait(100)
        stale = api.get(api.client.ask.request())

    assert "if-none-match" not in fresh.headers
    assert stale.headers["if-none-match"] == '"1"'


def test_a_views_calls_go_without_the_cache_or_through_another() -> None:
    with Asking("sync", Cache(), [answer(b"one"), answer(b"two"), answer(b"three")]) as api:
        api()

        assert api.client.with_options(cache=None).ask().body == b"two"
        assert api.client.with_options(cache=Cache(MemoryStore())).ask().body == b"three"
        assert api().body == b"one"


@pytest.mark.parametrize("heuristic", [-0.1, 1.1, float("nan"), True, "0.1"])
def test_a_heuristic_is_a_part(heuristic: Any) -> None:
    with pytest.raises(ConfigurationError, match="heuristic must be"):
        Cache(heuristic=heuristic)


@pytest.mark.parametrize("max_entry", [0, -1, 1.5, True, None])
def test_max_entry_is_a_number_of_bytes(max_entry: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_entry must be"):
        Cache(max_entry=max_entry)


def test_the_heuristic_is_used_and_may_be_left_out() -> None:
    old = Response(200, {"Date": DATE, "Last-Modified": "Tue, 14 Nov 2023 12:13:20 GMT"}, b"one")  # 10 h ago
    for part, asked in ((0.1, 1), (0.0, 2)):
        with Asking("sync", Cache(heuristic=part), otherwise=old) as api:
            api()
            api.wait(3500)
            api()
        assert api.asked == asked


@pytest.mark.parametrize("salt", [b"", b"x" * 15, "x" * 16, None])
def test_a_store_without_a_salt_is_refused(salt: Any) -> None:
    store = MemoryStore()
    store.salt = salt

    with pytest.raises(ConfigurationError, match="salt of 16 bytes or more"):
        Cache(store)


@pytest.mark.parametrize("store", ["answers.sqlite", MemoryStore, 7])
def test_what_is_no_store_is_refused(store: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"a store is a MemoryStore\(...\), say"):
        Cache(store)


@both
def test_a_long_salt_is_good_as_well(colour: str) -> None:
    store = MemoryStore()
    store.salt = b"x" * 100
    with Asking(colour, Cache(store), [answer(b"one", vary="X-Foo")]) as api:
        assert api(headers={"X-Foo": "1"}).body == api(headers={"X-Foo": "1"}).body == b"one"


# --- other clients and caches on one store


@both
def test_a_shared_cache_gives_nothing_that_a_private_one_has_kept_and_forgets_it_too(colour: str) -> None:
    store = MemoryStore()
    with Asking(colour, Cache(store), otherwise=answer(b"mine", "private, max-age=60")) as private:
        private()
        with Asking(colour, Cache(store, shared=True), [answer(b"ours"), answer(b"")]) as shared:
            assert shared().body == b"ours"
            assert shared().body == b"ours"
            shared("r", "POST")
        private()
        assert private.asked == 2


@both
def test_a_body_that_is_longer_than_a_client_allows_is_an_error_out_of_the_cache_too(colour: str) -> None:
    store = MemoryStore()
    with (
        Asking(colour, Cache(store), [answer(b"x" * 1000), Response(304)]) as one,
        Asking(colour, Cache(store), max_body_size=999) as other,
        Asking(colour, Cache(store), max_body_size=1000) as third,
    ):
        one()
        with pytest.raises(BodyTooLargeError, match="max_body_size, 999 bytes"):
            other()
        assert other.read() == b"x" * 1000  # which a stream is not bound by
        assert third().body == b"x" * 1000


# --- what other steps do


class Adding:
    """Adds a field behind the cache, and tells nobody whose it is."""

    name = "adding"

    def __init__(self, stage: Stage, **fields: str) -> None:
        self._stage = stage
        self._fields = fields

    @hookimpl
    def jackfield_steps(self) -> list[Step]:
        return [Step(self.name, self._stage, self._run, after=("cache",) if self._stage is Stage.CACHE else ())]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        headers = request.headers
        for name, value in self._fields.items():
            headers = headers.replacing(name.replace("_", "-"), value)
        return await proceed(request.with_headers(headers), call)


@both
@pytest.mark.parametrize("stage", [Stage.CACHE, Stage.RETRY, Stage.LIMIT])
def test_what_a_step_behind_the_cache_asks_for_somebody_is_not_kept(colour: str, stage: Stage) -> None:
    cache, watching = Cache(), Watching()
    for who in ("alice", "bob"):
        adding = Adding(stage, authorization=who)
        with Asking(
            colour, cache, (), adding, watching, otherwise=lambda sent: answer(sent.headers["authorization"].encode())
        ) as api:
            assert api().body == who.encode()
            assert did(api()) == "jackfield; fwd=uri-miss"

    reasons = {event.reason for event in watching.named(CacheNotStored)}
    assert reasons == {"a step behind the cache has changed who asks, or for what"}


@both
@pytest.mark.parametrize("vary", ["Accept-Language", "X-Request-Id"])
def test_nor_what_varies_by_a_field_that_such_a_step_has_set(colour: str, vary: str) -> None:
    cache = Cache()
    for what in ("de", "en"):
        adding = Adding(Stage.LIMIT, **{vary.replace("-", "_"): what})
        with Asking(colour, cache, (), adding, otherwise=answer(what.encode(), vary=vary)) as api:
            assert api().body == what.encode()


@both
def test_fields_that_such_a_step_adds_do_not_matter_if_they_tell_nothing(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one", vary="Accept")], Adding(Stage.LIMIT, traceparent="00-1-2-03")) as api:
        assert api().body == api().body == b"one"


# --- deadlines


@both
def test_a_service_that_hangs_until_the_deadline_is_one_that_fails(colour: str) -> None:
    late = DeadlineExceededError("the call took longer than 30 s")
    with Asking(colour, Cache(), [answer(b"good", "max-age=1, stale-if-error=60"), late, late]) as api:
        api()
        api.wait(10)
        assert did(api()) == 'jackfield; fwd=stale; detail="DeadlineExceededError"; ttl=-9'
        api.wait(60)
        with pytest.raises(DeadlineExceededError):
            api()


def test_what_is_stale_is_given_before_the_deadline_and_without_a_look_at_the_store() -> None:
    runtime, store = SimulatedRuntime(1), Failing(blocks=True)

    async def respond(request: Request) -> Response:
        if len(fake.requests) > 1:
            await runtime.sleep(1000)
        return answer(b"good", "max-age=1, stale-if-error=60")

    fake = FakeTransport(otherwise=respond)
    client = AsyncApiClient(URL, transport=fake, cache=Cache(store), runtime=runtime, timeout=5)

    async def main() -> None:
        await client.ask()
        await runtime.sleep(10)
        began = runtime.monotonic()
        response = await client.ask()
        assert did(response) == 'jackfield; fwd=stale; detail="DeadlineExceededError"; ttl=-13'
        assert 4.5 < runtime.monotonic() - began < 5

    runtime.run(main())

    assert store.worked == ["get", "put", "get"]


@both
def test_an_answer_that_is_too_long_to_be_kept_takes_the_older_one_with_it(colour: str) -> None:
    answers = [answer(b"old"), answer(b"much longer"), answer(b"new")]
    with Asking(colour, Cache(max_entry=5), answers) as api:
        api()
        assert api(headers={"Cache-Control": "no-cache"}).body == b"much longer"
        assert api().body == b"new"


@both
def test_a_304_that_brings_another_vary_has_the_answer_asked_for_again(colour: str) -> None:
    answers = [
        answer(b"one", etag='"1"'),
        Response(304, {"Cache-Control": "max-age=60", "ETag": '"1"', "Vary": "Accept"}),
        answer(b"two", vary="Accept"),
    ]
    with Asking(colour, Cache(), answers) as api:
        api(headers={"Accept": "a"})
        api.wait(100)
        assert api(headers={"Accept": "a"}).body == b"one"
        assert api(headers={"Accept": "b"}).body == b"two"


@both
def test_a_head_that_brings_another_vary_leaves_nothing_beside_it(colour: str) -> None:
    head = Response(200, {"Cache-Control": "max-age=60", "ETag": '"1"', "Vary": "Accept-Language"})
    with Asking(colour, Cache(), [answer(b"english", etag='"1"'), head, answer(b"deutsch")]) as api:
        api(headers={"Accept-Language": "en"})
        api("r", "HEAD", headers={"Accept-Language": "en", "Cache-Control": "no-cache"})
        assert api(headers={"Accept-Language": "de"}).body == b"deutsch"
