"""The way through pages: it ends, gives no page twice, and goes on after an error."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    Client,
    ConfigurationError,
    ConnectError,
    ContractError,
    JackfieldError,
    Model,
    NotFoundError,
    Page,
    Request,
    Response,
    Service,
    UsageError,
    operation,
    paged,
)
from jackfield.testing import FakeTransport, json_response

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour


class Next:
    """Pages by the cursor that the service gives."""

    def first(self, service: Any) -> str:
        return ""

    def after(self, at: str, page: Page[Any]) -> str | None:
        cursor: str | None = page.hint
        return cursor


class Number(NamedTuple):
    number: int = 1


class Numbers:
    """Pages by number, until one is empty."""

    counted = True

    def first(self, service: Any) -> Number:
        return Number()

    def after(self, at: Number, page: Page[Any]) -> Number | None:
        return Number(at.number + 1) if page else None


class Told(Numbers):
    """... until the service says so."""

    def after(self, at: Number, page: Page[Any]) -> Number | None:
        return Number(at.number + 1) if page.hint else None


class Kind(Model):
    """Of a record no more than what it has in common with others."""

    kind: str


class Shop(Service):
    @paged(Next())
    async def events(self, at: str) -> Page[Any]:
        answer = (await self.send(Request("GET", self.url("events"), query={"cursor": at}))).decode(dict[str, Any])
        return Page(answer["items"], hint=answer["next"])

    @paged(Numbers(), max_pages=20)
    async def records(self, at: Number) -> Page[Any]:
        response = await self.send(Request("GET", self.url("records"), query={"page": str(at.number)}))
        return Page(response.decode(list[Any]))

    @paged(Told(), max_pages=20)
    async def told(self, at: Number) -> Page[Any]:
        answer = (await self.send(Request("GET", self.url("told")))).decode(dict[str, Any])
        return Page(answer["items"], hint=answer["more"])

    @operation
    async def stock(self) -> list[Any]:
        return [record async for record in self.records.all()]


def leading(following: dict[str, str | None]) -> FakeTransport:
    """A service whose page at a cursor holds the cursor, and leads to the next."""

    def serve(request: Request) -> Response:
        cursor = dict(request.query)["cursor"]
        return json_response({"items": [cursor], "next": following[cursor]})

    return FakeTransport(otherwise=serve)


# --- circles


@pytest.mark.parametrize(
    ("following", "given"),
    [
        ({"": ""}, []),
        ({"": "a", "a": "a"}, [""]),
        ({"": "a", "a": "b", "b": "a"}, ["", "a"]),
        ({"": "a", "a": ""}, [""]),
        ({"": "a", "a": "b", "b": "c", "c": "d", "d": "b"}, ["", "a", "b", "c"]),
    ],
    ids=["the first", "itself", "two", "back to the first", "three, after a way"],
)
def test_a_list_that_goes_in_a_circle_is_stopped_before_a_page_comes_twice(
    colour: Colour, following: dict[str, str | None], given: list[str]
) -> None:
    transport = leading(following)
    seen: list[str] = []

    with pytest.raises(ContractError, match="events comes to the same page again"):
        colour.take(colour.client(Shop, transport).events.all(), seen)

    assert seen == given
    assert len(transport.requests) == len(following)


def test_a_single_page_that_leads_to_itself_is_refused_too(colour: Colour) -> None:
    client = colour.client(Shop, leading({"": "a", "a": "a"}))

    with pytest.raises(ContractError, match="same page again"):
        colour.get(client.events.at(colour.get(client.events()).next)())


def test_a_circle_is_found_from_a_token_on(colour: Colour) -> None:
    client = colour.client(Shop, leading({"": "a", "a": "b", "b": "c", "c": "a"}))
    seen: list[str] = []

    with pytest.raises(ContractError, match="same page again"):
        colour.take(client.events.at('["events","a"]').all(), seen)

    assert seen == ["a", "b"]


def test_the_error_of_a_circle_does_not_show_the_cursor(colour: Colour) -> None:
    with pytest.raises(ContractError) as caught:
        colour.take(colour.client(Shop, leading({"": "hunter2", "hunter2": "hunter2"})).events.all())

    assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.__notes__}"


# --- a service that ignores which page it is asked for


def always(*items: Any) -> FakeTransport:
    return FakeTransport(otherwise=json_response(items))


@pytest.mark.parametrize("items", [[{"id": 1}, {"id": 2}], [{"id": 1}], [[1, 2]], [{}]])
def test_a_page_of_the_same_records_again_is_refused(colour: Colour, items: list[Any]) -> None:
    transport = always(*items)
    seen: list[Any] = []

    with pytest.raises(ContractError, match="ignores which page"):
        colour.take(colour.client(Shop, transport).records.all(), seen)

    assert seen == items
    assert len(transport.requests) == 2


def test_records_may_be_the_same_where_the_service_says_what_comes_next(colour: Colour) -> None:
    beats = [{"level": "info", "text": "heartbeat"}] * 3
    transport = FakeTransport(
        [json_response({"items": beats, "next": cursor}) for cursor in ("a", "b", "c", None)],
    )

    assert len(colour.take(colour.client(Shop, transport).events.all())) == 12


@pytest.mark.parametrize("item", ["a", 1, 1.5, True, None])
def test_numbers_and_words_may_come_again(colour: Colour, item: Any) -> None:
    pages = [json_response([item])] * 3
    transport = FakeTransport(pages, otherwise=json_response([]))

    assert colour.take(colour.client(Shop, transport).records.all()) == [item] * 3


def test_the_same_records_in_another_order_are_another_page(colour: Colour) -> None:
    one, two = {"id": 1}, {"id": 2}
    transport = FakeTransport([json_response([one, two]), json_response([two, one]), json_response([])])

    assert colour.take(colour.client(Shop, transport).records.all()) == [one, two, two, one]


def test_pages_that_only_begin_with_the_same_record_are_others(colour: Colour) -> None:
    one, two, three = ({"id": number} for number in (1, 2, 3))
    transport = FakeTransport([json_response([one, two]), json_response([one, three]), json_response([])])

    assert colour.take(colour.client(Shop, transport).records.all()) == [one, two, one, three]


@pytest.mark.parametrize("depth", range(100, 1000, 100))
def test_records_nested_however_deeply_are_pages_or_an_error_of_ours(colour: Colour, depth: int) -> None:
    lists = Response(200, body=b"[" + b"[" * depth + b"]" * depth + b"]")
    maps = Response(200, body=b'{"items": [{"kind": "a"}], "x": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}")

    for listing in (
        colour.client(Shop, FakeTransport([lists, lists, json_response([])])).records,
        colour.client(Kinds, FakeTransport([maps, maps, json_response({"items": []})])).kinds,
    ):
        with suppress(ContractError):
            colour.take(listing.all())


def kinds(*pages: dict[str, Any]) -> FakeTransport:
    return FakeTransport([json_response(page) for page in pages])


class Kinds(Service):
    @paged(Numbers(), max_pages=20)
    async def kinds(self, at: Number) -> Page[Kind]:
        response = await self.send(Request("GET", self.url("kinds")))
        items = response.decode(dict[str, Any])["items"]
        return Page([Kind(kind=item["kind"]) for item in items], raw=response)


def test_records_that_differ_in_what_their_type_leaves_out_are_no_repetition(colour: Colour) -> None:
    pages = [{"items": [{"kind": "login", "id": number}]} for number in range(3)]

    found = colour.take(colour.client(Kinds, kinds(*pages, {"items": []})).kinds.all())

    assert [item.kind for item in found] == ["login"] * 3


def test_a_repetition_is_seen_though_the_service_counts_the_pages(colour: Colour) -> None:
    pages = [
        {"page": number, "info": {"at": f"p{number}"}, "items": [{"kind": "login", "id": 1}], "other": []}
        for number in (1, 2)
    ]

    with pytest.raises(ContractError, match="ignores which page"):
        colour.take(colour.client(Kinds, kinds(*pages)).kinds.all())


class Words(Service):
    @paged(Numbers(), max_pages=20)
    async def words(self, at: Number) -> Page[Kind]:
        response = await self.send(Request("GET", self.url("words")))
        return Page([Kind(kind=line.split()[0]) for line in response.content.decode().splitlines()], raw=response)


def test_answers_that_are_no_json_are_compared_as_they_are(colour: Colour) -> None:
    one, other, end = (Response(200, body=body) for body in (b"login 1\n", b"login 2\n", b""))
    again = Response(200, {"date": "later"}, one.body)

    assert len(colour.take(colour.client(Words, FakeTransport([one, other, end])).words.all())) == 2
    with pytest.raises(ContractError, match="ignores which page"):
        colour.take(colour.client(Words, FakeTransport([one, again, end])).words.all())


def test_a_page_that_comes_twice_once_is_asked_for_again_and_the_walk_goes_on(colour: Colour) -> None:
    one, two = [json_response([{"id": number}]) for number in (1, 2)]
    records = colour.client(Shop, FakeTransport([one, one, two, json_response([])])).records.all()
    seen: list[Any] = []

    with pytest.raises(ContractError, match="ignores which page"):
        colour.take(records, seen)
    colour.take(records, seen)

    assert seen == [{"id": 1}, {"id": 2}]


# --- a list without end


def telling(*pages: list[Any]) -> list[Response]:
    """Pages after each of which there are more, and a last one."""
    return [*(json_response({"items": page, "more": True}) for page in pages), json_response({"items": [], "more": 0})]


def test_some_empty_pages_are_none_but_the_last(colour: Colour) -> None:
    transport = FakeTransport(telling([], [], [1], [], [], [2], [], []))

    assert colour.take(colour.client(Shop, transport).told.all()) == [1, 2]


def test_ten_empty_pages_after_another_with_more_to_come_are_an_error(colour: Colour) -> None:
    empty: list[list[Any]] = [[]] * 10
    transport = FakeTransport(telling([1], *empty, [2]))
    items = colour.client(Shop, transport).told.all()
    seen: list[Any] = []

    with pytest.raises(ContractError, match="told gives 10 empty pages one after the other"):
        colour.take(items, seen)
    assert seen == [1]
    assert len(transport.requests) == 11
    colour.take(items, seen)  # it is asked for again: that was not the end

    assert seen == [1, 2]


def endless() -> FakeTransport:
    return FakeTransport(otherwise=lambda request: json_response([int(dict(request.query)["page"])]))


def test_an_operation_says_how_many_pages_a_walk_has_at_most(colour: Colour) -> None:
    transport = endless()
    seen: list[int] = []

    with pytest.raises(ContractError, match="more after 20 pages of records"):
        colour.take(colour.client(Shop, transport).records.all(), seen)

    assert seen == list(range(1, 21))
    assert len(transport.requests) == 20


def test_a_user_may_set_how_many_pages_a_walk_has_at_most(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shop.records, "max_pages", 3)

    with pytest.raises(ContractError, match="more after 3 pages"):
        colour.take(colour.client(Shop, endless()).records.all())


@pytest.mark.parametrize("most", [0, -1])
def test_a_walk_of_no_pages_is_refused(most: int) -> None:
    with pytest.raises(ConfigurationError, match="max_pages"):
        paged(Numbers(), max_pages=most)(Shop.records.body)


# --- errors in the middle


def failing(at: int, *errors: Response | Exception, last: int = 5) -> FakeTransport:
    """Numbers in pages of one; before the page `at` is given come these errors."""
    left = list(errors)

    def serve(request: Request) -> Response:
        number = int(dict(request.query)["page"])
        if number == at and left:
            error = left.pop(0)
            if isinstance(error, Response):
                return error
            raise error
        return json_response([number] if number <= last else [])

    return FakeTransport(otherwise=serve)


def test_a_page_that_vanishes_is_an_error_that_says_which_page(colour: Colour) -> None:
    seen: list[int] = []

    with pytest.raises(NotFoundError) as caught:
        colour.take(colour.client(Shop, failing(3, Response(404))).records.all(), seen)

    assert seen == [1, 2]
    assert caught.value.__notes__ == ["this was page 3 of this walk through records"]
    assert pickle.loads(pickle.dumps(caught.value)).__notes__ == caught.value.__notes__
    assert caught.value.call is not None
    assert caught.value.call.operation == "records"


def test_pages_that_a_body_goes_through_are_those_of_what_the_user_called(colour: Colour) -> None:
    with pytest.raises(NotFoundError) as caught:
        colour.get(colour.client(Shop, failing(3, Response(404))).stock())

    assert caught.value.__notes__ == ["this was page 3 of this walk through stock"]


@pytest.mark.parametrize("kind", ["all", "pages"])
def test_after_an_error_the_next_step_tries_the_page_again(colour: Colour, kind: str) -> None:
    transport = failing(3, Response(503), ConnectError("down"))
    records = getattr(colour.client(Shop, transport).records, kind)()
    seen: list[Any] = []

    for _ in range(2):
        with pytest.raises(JackfieldError):
            colour.take(records, seen)
    colour.take(records, seen)

    assert seen == ([1, 2, 3, 4, 5] if kind == "all" else [[1], [2], [3], [4], [5], []])
    assert [int(dict(request.query)["page"]) for request in transport.requests] == [1, 2, 3, 3, 3, 4, 5, 6]


@given(failures=st.dictionaries(st.integers(1, 6), st.integers(1, 3)))
@settings(deadline=None, max_examples=50)
def test_whatever_fails_every_item_comes_exactly_once(colour: Colour, failures: dict[int, int]) -> None:
    left = dict(failures)

    def serve(request: Request) -> Response:
        number = int(dict(request.query)["page"])
        if left.get(number):
            left[number] -= 1
            return Response(503)
        return json_response([number] if number <= 5 else [])

    items = colour.client(Shop, FakeTransport(otherwise=serve)).records.all()
    seen: list[int] = []
    errors = 0
    while True:
        try:
            colour.take(items, seen)
        except JackfieldError:
            errors += 1
            continue
        break

    assert seen == [1, 2, 3, 4, 5]
    assert errors == sum(failures.values())


def test_an_iterator_that_has_ended_stays_so(colour: Colour) -> None:
    transport = failing(0)
    items = colour.client(Shop, transport).records.all()
    colour.take(items)
    asked = len(transport.requests)

    assert colour.take(items) == []
    assert len(transport.requests) == asked


# --- one walk, one who walks


def test_an_iterator_is_its_own_iterator_and_keeps_its_place(colour: Colour) -> None:
    items = colour.client(Shop, failing(0)).records.all()

    if colour.base is Client:
        assert iter(items) is items
        assert (next(items), next(items)) == (1, 2)
    else:
        assert aiter(items) is items
        assert colour.get(anext(items)) == 1
        assert colour.get(anext(items)) == 2
    assert colour.take(items) == [3, 4, 5]


@pytest.mark.parametrize("kind", ["all", "pages"])
@pytest.mark.parametrize("ahead", [0, 2])
def test_an_iterator_that_was_closed_gives_nothing_and_asks_for_nothing(colour: Colour, kind: str, ahead: int) -> None:
    transport = failing(0)
    records = colour.client(Shop, transport).records
    one = getattr(records.prefetch(ahead) if ahead else records, kind)()

    colour.get(one.close() if colour.base is Client else one.aclose())

    assert colour.take(one) == []
    assert transport.requests == []


def test_what_is_left_of_a_page_goes_when_its_iterator_is_closed(colour: Colour) -> None:
    items = colour.client(Shop, FakeTransport([json_response([1, 2, 3])])).records.all()

    if colour.base is Client:
        assert next(items) == 1
        items.close()
    else:

        async def one() -> None:
            assert await anext(items) == 1
            await items.aclose()

        colour.get(one())

    assert colour.take(items) == []


def test_an_iterator_that_is_closed_while_a_page_is_under_way_asks_for_no_other() -> None:
    from jackfield import AsyncClient

    class Awaited(Shop, AsyncClient): ...

    async def main() -> list[Any]:
        async def serve(request: Request) -> Response:
            await pages.aclose()
            return json_response([1])

        transport = FakeTransport([serve])
        pages = Awaited("https://h", transport=transport).records.pages()
        return [page async for page in pages]

    assert asyncio.run(main()) == [[1]]


def test_two_who_ask_one_iterator_at_once_get_no_page_twice() -> None:
    class Both(Shop, Client): ...

    here, go = threading.Event(), threading.Event()

    def serve(request: Request) -> Response:
        here.set()
        assert go.wait(10)
        return json_response([1])

    pages = Both("https://h", transport=FakeTransport([serve])).records.pages()
    first: list[Any] = []
    thread = threading.Thread(target=lambda: first.append(next(pages)))
    thread.start()
    assert here.wait(10)

    with pytest.raises(UsageError, match="two at once"):
        next(pages)
    go.set()
    thread.join(10)

    assert first == [[1]]


def test_a_walk_is_freed_with_its_iterator(colour: Colour) -> None:
    def walks() -> int:
        gc.collect()
        return sum(type(o).__name__ == "Walk" for o in gc.get_objects())

    before = walks()
    items = colour.client(Shop, failing(3, Response(503))).records.all()
    with pytest.raises(JackfieldError):
        colour.take(items)
    assert walks() == before + 1

    del items

    assert walks() == before


def test_awaiting_two_steps_at_once_is_refused_in_async_too() -> None:
    from jackfield import AsyncClient

    class Awaited(Shop, AsyncClient): ...

    async def main() -> list[Any]:
        go = asyncio.Event()

        async def serve(request: Request) -> Response:
            await go.wait()
            return json_response([1])

        pages = Awaited("https://h", transport=FakeTransport([serve])).records.pages()
        steps: list[Coroutine[Any, Any, Any]] = [anext(pages), anext(pages)]
        tasks = [asyncio.ensure_future(step) for step in steps]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    one, other = asyncio.run(main())

    assert one == [1]
    assert isinstance(other, UsageError)
