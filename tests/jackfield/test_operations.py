"""Operations: one body for both colours, what a bound operation offers, and what a client is and is not."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import pickle
import pydoc
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import (
    AsyncClient,
    Call,
    Client,
    ConfigurationError,
    ConnectError,
    DeadlineExceededError,
    JackfieldError,
    NetworkError,
    NotFoundError,
    Options,
    Proceed,
    ProtocolError,
    Pure,
    ReadTimeoutError,
    Request,
    Response,
    Secret,
    Service,
    Stage,
    Step,
    TruncatedBodyError,
    UnavailableError,
    Url,
    UsageError,
    hookimpl,
    job,
    operation,
    paged,
    streamed,
)
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime, json_response

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour, Steps

CANARY = "hunter2-canary"


class Core(Service):
    """A small service."""

    @operation
    async def get_node(self, node: str, *, deep: bool = False) -> dict[str, Any]:
        """One node."""
        query = {"deep": "1"} if deep else {}
        return (await self.send(Request("GET", self.url("nodes", node), query=query))).decode(dict[str, Any])

    @operation
    async def find_node(self, node: str) -> dict[str, Any] | None:
        """One node, or None where it does not exist."""
        try:
            return await self.get_node(node)
        except NotFoundError:
            return None

    @operation
    async def rename(self, node: str, name: str) -> None:
        """Gives a node another name."""
        await self.send(Request("POST", self.url("nodes", node), body=name.encode()))

    @operation
    async def pair(self, one: str, other: str) -> list[dict[str, Any]]:
        """Two nodes, one after the other, with time passing between them."""
        first = await self.get_node(one)
        await self.runtime.sleep(40)
        return [first, await self.get_node(other)]

    @operation(bounded=False)
    async def wait_and_rename(self, node: str) -> None:
        """Without a total of its own."""
        await self.runtime.sleep(1000)
        await self.send(Request("POST", self.url("nodes", node)))

    @operation
    async def quickly(self, node: str) -> dict[str, Any]:
        """Uses a view of itself."""
        return await self.with_options(headers={"x-view": "1"}, timeout=1000).get_node(node)

    @operation
    async def quickly_itself(self) -> None:
        """Sends through a view of itself."""
        view = self.with_options(headers={"x-view": "1"}, timeout=5, read_timeout=2)
        await view.send(Request("GET", self.url()))

    @operation(bounded=False)
    async def unhurried(self, node: str) -> None:
        """Without a total of its own, but without waiting too."""
        await self.send(Request("POST", self.url("nodes", node)))

    @operation
    async def tagged(self, tag: str) -> None:
        """Sends a header of its own."""
        await self.send(Request("GET", self.url(), headers={"X-One": tag}))

    @operation
    async def nothing(self) -> str:
        """Sends nothing."""
        return "nothing"

    @operation
    async def head_then_tail(self) -> list[int]:
        """Begins a request whose body it reads piece by piece, and then one that it reads whole."""
        streamed = self.send(Request("GET", self.url("streamed")), stream=True)
        whole = self.send(Request("GET", self.url("whole")))
        return [(await streamed).status, (await whole).status]

    @operation
    async def stream(self) -> Response:
        """Leaves the body to be read piece by piece."""
        return await self.send(Request("GET", self.url("streamed")), stream=True)


class CoreClient(Core, Client): ...


class AsyncCoreClient(Core, AsyncClient): ...


def node(id: int = 7) -> Response:
    return json_response({"id": id})


class Pieces:
    """A body that is still arriving, and knows whether it was let go."""

    def __init__(self, *pieces: bytes) -> None:
        self.left = list(pieces)
        self.closed = 0

    async def read(self) -> bytes:
        return self.left.pop(0) if self.left else b""

    async def close(self) -> None:
        self.closed += 1


def probing(seen: list[Any], look: str) -> Step:
    """A step that notes an attribute of every call that passes it."""

    async def probe(request: Request, call: Call, proceed: Proceed) -> Response:
        value = getattr(call, look)
        seen.append(value() if callable(value) else value)
        return await proceed(request, call)

    return Step("probe", Stage.LIMIT, probe)


def failure(colour: Colour, call: Callable[..., Any], *args: Any, **kwargs: Any) -> JackfieldError:
    """The error of a call."""
    with pytest.raises(JackfieldError) as caught:
        colour.get(call(*args, **kwargs))
    return caught.value


# --- one body, two colours


def test_one_body_serves_both_colours(colour: Colour) -> None:
    transport = FakeTransport([node(), Response(404), Response(204)])
    client = colour.client(Core, transport)

    assert colour.get(client.get_node("a/b", deep=True)) == {"id": 7}
    assert colour.get(client.find_node("gone")) is None
    assert colour.get(client.rename("a", name="b")) is None

    sent = [(request.method, request.target, request.body) for request in transport.requests]
    assert sent == [
        ("GET", "/v1/nodes/a%2Fb?deep=1", b""),
        ("GET", "/v1/nodes/gone", b""),
        ("POST", "/v1/nodes/a", b"b"),
    ]


def test_a_sync_client_gives_values_and_an_async_one_awaitables() -> None:
    with CoreClient("https://h", transport=FakeTransport([node()])) as client:
        assert client.get_node("a") == {"id": 7}

    async def main() -> dict[str, Any]:
        async with AsyncCoreClient("https://h", transport=FakeTransport([node()])) as client:
            pending = client.get_node("a")
            assert inspect.isawaitable(pending)
            return await pending

    assert asyncio.run(main()) == {"id": 7}


def test_a_sync_client_works_inside_a_running_event_loop() -> None:
    async def a_notebook_cell() -> dict[str, Any]:
        return CoreClient("https://h", transport=FakeTransport([node()])).get_node("a")

    assert asyncio.run(a_notebook_cell()) == {"id": 7}


def test_the_requests_headers_go_over_the_clients_and_these_over_ours(colour: Colour) -> None:
    transport = FakeTransport(otherwise=node())
    client = colour.client(Core, transport, headers={"User-Agent": "mine", "x-one": "1"})

    colour.get(client.get_node("a"))
    colour.get(client.with_options(headers={"X-ONE": "2", "x-two": "2"}).get_node("a"))
    colour.get(colour.client(Core, transport).get_node("a"))
    colour.get(client.tagged("3"))

    one, two, three, four = (dict(request.headers.pairs()) for request in transport.requests)
    assert one == {"User-Agent": "mine", "x-one": "1"}
    assert two == {"User-Agent": "mine", "X-ONE": "2", "x-two": "2"}
    assert three == {"user-agent": "jackfield"}
    assert four == {"User-Agent": "mine", "X-One": "3"}


def test_tasks_of_one_async_client_do_not_mix_up_their_calls() -> None:
    async def main() -> list[dict[str, Any]]:
        transport = FakeTransport(otherwise=lambda request: json_response({"path": request.url.path}))
        async with AsyncCoreClient("https://h", transport=transport) as client:
            return await asyncio.gather(*(client.get_node(str(number)) for number in range(50)))

    assert asyncio.run(main()) == [{"path": f"/nodes/{number}"} for number in range(50)]


# --- what a bound operation offers


def test_a_bound_operation_shows_its_documentation_and_its_signature_without_self(colour: Colour) -> None:
    bound = colour.client(Core).get_node

    assert str(inspect.signature(bound)) == "(node: 'str', *, deep: 'bool' = False) -> 'dict[str, Any]'"
    assert inspect.getdoc(bound) == "One node."
    assert bound.__name__ == "get_node"
    assert callable(bound)


def test_help_of_a_bound_operation_shows_its_documentation_and_its_parameters(colour: Colour) -> None:
    shown = pydoc.render_doc(colour.client(Core).get_node, renderer=pydoc.TextDoc())

    assert "One node." in shown
    assert "get_node" in shown
    assert "deep" in shown
    assert "self" not in shown.partition("One node.")[0]


def test_the_class_holds_the_operation_itself_with_its_documentation() -> None:
    assert inspect.getdoc(Core.get_node) == "One node."
    assert Core.get_node is CoreClient.get_node
    assert "node" in str(Core.get_node.__signature__)
    assert "self" not in str(Core.get_node.__signature__)
    assert inspect.signature(Core.get_node) == Core.get_node.__signature__
    assert repr(Core.get_node) == f"<operation get_node{Core.get_node.__signature__}>"


def test_an_operation_can_be_called_by_its_class(colour: Colour) -> None:
    client = colour.client(Core, FakeTransport([node(8)]))

    assert colour.get(Core.get_node(client, "a")) == {"id": 8}


def test_an_operation_that_a_function_makes_is_called_as_its_class_calls_it(colour: Colour) -> None:
    def getting(path: str) -> Any:
        @operation
        async def get(self: Service) -> str:
            return f"{self.call.operation} {path}"

        return get

    class Made(Service):
        get_one = getting("one")
        get_two = getting("two")

    client = colour.client(Made)

    assert [colour.get(client.get_one()), colour.get(client.get_two())] == ["get_one one", "get_two two"]
    assert Made.get_one.name == "get_one"


def test_arguments_that_do_not_fit_are_a_type_error_as_with_any_function(colour: Colour) -> None:
    client = colour.client(Core)

    with pytest.raises(TypeError, match="node"):
        colour.get(client.get_node())
    with pytest.raises(TypeError, match="depth"):
        colour.get(client.get_node("a", depth=1))


def test_a_bound_operation_prints_what_it_is_of_and_no_secret(colour: Colour) -> None:
    client = colour.client(Core, headers={"authorization": CANARY})

    assert "get_node" in repr(client.get_node)
    assert "https://api.example.test/v1" in repr(client.get_node)
    assert CANARY not in repr(client.get_node)


# --- request() and explain()


class Keyed:
    """Signs with a canary, in a header and in the query."""

    name = "keyed"

    def __init__(self) -> None:
        self.key = Secret(CANARY)

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return [Pure("keyed", Stage.SIGN, request=self.sign)]

    def sign(self, request: Request, call: Call) -> Request:
        key = self.key.reveal()
        return request.replace(
            query=(*request.query, ("key", key)), headers=request.headers.replacing("authorization", key)
        )


def test_request_gives_the_first_request_signed_and_all_and_sends_nothing(colour: Colour) -> None:
    transport = FakeTransport()
    client = colour.client(Core, transport, plugins=[Keyed()])

    request = colour.get(client.get_node.request("a", deep=True))

    assert request.target == f"/v1/nodes/a?deep=1&key={CANARY}"
    assert request.headers["authorization"] == CANARY
    assert request.headers["user-agent"] == "jackfield"
    assert transport.requests == []


def test_what_request_gives_is_what_a_call_sends(colour: Colour) -> None:
    transport = FakeTransport([node()])
    client = colour.client(Core, transport, plugins=[Keyed()])

    request = colour.get(client.get_node.request("a"))
    colour.get(client.get_node("a"))

    assert transport.requests == [request]


@pytest.mark.parametrize("name", ["find_node", "quickly", "unhurried"])
def test_request_of_an_operation_that_awaits_others_sends_nothing_either(colour: Colour, name: str) -> None:
    transport = FakeTransport()
    client = colour.client(Core, transport)

    request = colour.get(getattr(client, name).request("a"))

    assert request.url.path == "/v1/nodes/a"
    assert transport.requests == []


def test_request_of_two_requests_is_the_first(colour: Colour) -> None:
    transport = FakeTransport()

    request = colour.get(colour.client(Core, transport).pair.request("a", "b"))

    assert request.url.path == "/v1/nodes/a"
    assert transport.requests == []


def test_request_of_an_operation_that_sends_nothing_says_so(colour: Colour) -> None:
    client = colour.client(Core)

    for offer in (client.nothing.request, client.nothing.explain):
        assert "nothing sends no request" in str(failure(colour, offer))


def test_request_is_not_taken_for_a_call_by_observers(colour: Colour, watch: Any) -> None:
    watching = watch()
    client = colour.client(Core, FakeTransport(), plugins=[watching])

    colour.get(client.get_node.request("a"))

    assert watching.events == []


def test_a_step_that_catches_every_exception_does_not_make_request_send(colour: Colour, plugin: type[Steps]) -> None:
    async def stubborn(request: Request, call: Call, proceed: Proceed) -> Response:
        try:
            return await proceed(request, call)
        except Exception:
            return node()

    transport = FakeTransport()
    client = colour.client(Core, transport, plugins=[plugin("stubborn", Step("stubborn", Stage.RETRY, stubborn))])

    assert colour.get(client.get_node.request("a")).url.path == "/v1/nodes/a"
    assert transport.requests == []


def test_explain_shows_chain_settings_and_request_but_no_secret_and_sends_nothing(colour: Colour) -> None:
    transport = FakeTransport()
    client = colour.client(
        Core, transport, plugins=[Keyed()], timeout=7.5, headers={"x-api-key": CANARY}, visible_query=["deep"]
    )

    explanation = colour.get(client.get_node.explain("a", deep=True))

    text = str(explanation)
    assert CANARY not in text
    assert CANARY not in repr(explanation)
    assert "GET https://api.example.test/v1/nodes/a?deep=1&key=***" in text
    assert "timeout = 7.5  (set)" in text
    assert "keyed (from keyed)" in text
    assert "x-api-key" in text
    assert explanation.request.query[-1] == ("key", CANARY)
    assert transport.requests == []


def test_explain_shows_what_steps_say_and_only_then_do_they_say_it(colour: Colour, plugin: type[Steps]) -> None:
    async def thinking(request: Request, call: Call, proceed: Proceed) -> Response:
        heard.append(call.notes)
        if call.notes is not None:
            call.notes.append("cache: miss, as nothing is kept")
        return await proceed(request, call)

    heard: list[list[str] | None] = []
    node = json_response({"id": "a"})
    steps = plugin("cache", Step("cache", Stage.CACHE, thinking))
    client = colour.client(Core, FakeTransport([node]), plugins=[steps])

    explanation = colour.get(client.get_node.explain("a"))
    colour.get(client.get_node("a"))

    assert explanation.notes == ("cache: miss, as nothing is kept",)
    assert "\n  notes:\n    cache: miss, as nothing is kept\n" in str(explanation)
    assert heard[1] is None


def test_explain_says_set_of_nothing_that_was_not_set(colour: Colour) -> None:
    assert "(set)" not in str(colour.get(colour.client(Core).get_node.explain("a")))


def test_explain_of_a_view_shows_the_views_settings(colour: Colour) -> None:
    client = colour.client(Core, plugins=[Keyed()])

    text = str(colour.get(client.with_options(read_timeout=3, keyed=None).get_node.explain("a")))

    assert "read_timeout = 3  (set)" in text
    assert "keyed" not in text


# --- nested operations


def test_operations_that_one_awaits_share_its_deadline(colour: Colour, plugin: type[Steps]) -> None:
    left: list[float] = []
    client = colour.client(
        Core, FakeTransport(otherwise=node()), timeout=60, plugins=[plugin("probe", probing(left, "remaining"))]
    )

    colour.get(client.pair("a", "b"))
    colour.get(client.get_node("c"))

    assert left == [60, 20, 60]


def test_an_operation_without_a_total_gives_each_request_one_of_its_own(colour: Colour, plugin: type[Steps]) -> None:
    left: list[float] = []
    client = colour.client(
        Core, FakeTransport(otherwise=node()), timeout=60, plugins=[plugin("probe", probing(left, "remaining"))]
    )

    colour.get(client.wait_and_rename("a"))

    assert left == [60]


def test_a_view_made_inside_a_body_is_awaitable_there_and_stays_within_the_deadline(
    colour: Colour, plugin: type[Steps]
) -> None:
    left: list[float] = []
    transport = FakeTransport(otherwise=node())
    client = colour.client(Core, transport, timeout=60, plugins=[plugin("probe", probing(left, "remaining"))])

    assert colour.get(client.quickly("a")) == {"id": 7}
    assert transport.requests[0].headers["x-view"] == "1"
    assert left == [60]


def test_what_a_view_made_inside_a_body_sends_itself_obeys_the_views_settings(
    colour: Colour, plugin: type[Steps]
) -> None:
    options: list[Options] = []
    left: list[float] = []
    probes = [
        plugin("one", probing(options, "options")),
        plugin("two", probing(left, "remaining")._replace(name="two")),
    ]
    transport = FakeTransport(otherwise=Response(200))
    client = colour.client(Core, transport, plugins=probes)

    colour.get(client.quickly_itself())

    assert transport.requests[0].headers["x-view"] == "1"
    assert options[0].read_timeout == 2
    assert left == [5]


def test_two_requests_begun_together_are_each_streamed_or_not_as_they_asked(
    colour: Colour, plugin: type[Steps]
) -> None:
    streams: list[bool] = []
    client = colour.client(
        Core, FakeTransport(otherwise=Response(200)), plugins=[plugin("probe", probing(streams, "stream"))]
    )

    colour.get(client.head_then_tail())

    assert streams == [True, False]


@pytest.mark.parametrize("name", ["_call", "_run", "_wiring", "_within"])
def test_a_service_that_takes_a_name_of_ours_is_told_at_once(name: str) -> None:
    async def helper(self: Any, word: str) -> None: ...

    with pytest.raises(ConfigurationError, match=rf"Own .*{name}.*another name"):
        type("Own", (Service,), {name: helper})


@pytest.mark.parametrize("name", ["send", "call", "url", "runtime", "chain", "with_options", "close", "aclose"])
def test_an_operation_that_would_hide_a_name_of_ours_is_told_at_once(name: str) -> None:
    async def body(self: Any, text: str) -> str:
        return text

    with pytest.raises(ConfigurationError, match=rf"Own .*{name}.*another name"):
        type("Own", (Service,), {name: operation(body)})


def plain(self: Any) -> int:
    return 5


async def generator(self: Any) -> AsyncGenerator[int, None]:
    yield 5


@pytest.mark.parametrize("body", [plain, generator])
def test_a_body_that_is_no_coroutine_function_is_refused_when_it_is_decorated(body: Any) -> None:
    with pytest.raises(UsageError, match=rf"{body.__name__}.*async def"):
        operation(body)


def test_a_service_may_give_every_other_name_to_its_own_helpers(colour: Colour) -> None:
    class Own(Service):
        async def _get(self, word: str) -> bytes:
            return (await self.send(Request("GET", self.url(word)))).content

        @operation
        async def use(self) -> bytes:
            return await self._get("x")

    assert colour.get(colour.client(Own, FakeTransport([Response(200, body=b"!")])).use()) == b"!"


# --- views


def test_a_view_shares_the_transport_and_does_not_close_it(colour: Colour) -> None:
    transport = FakeTransport(otherwise=node())
    client = colour.client(Core, transport)
    view = client.with_options(timeout=5)

    colour.close(view)

    assert colour.get(view.get_node("a")) == {"id": 7}
    assert colour.get(client.get_node("a")) == {"id": 7}
    assert len(transport.requests) == 2
    assert not transport.closed


def test_a_view_changes_what_it_names_for_itself_only(colour: Colour, plugin: type[Steps]) -> None:
    left: list[float] = []
    probe = plugin("probe", probing(left, "remaining"))
    client = colour.client(Core, FakeTransport(otherwise=node()), timeout=60, plugins=[probe])

    view = client.with_options(timeout=5)
    for one in (view, client, view.with_options(read_timeout=2), view.with_options(timeout=6)):
        colour.get(one.get_node("a"))

    assert left == [5, 60, 5, 6]
    assert type(view) is type(client)


def test_attributes_of_the_service_are_seen_through_a_view(colour: Colour) -> None:
    client = colour.client(Core)
    client.region = "north"

    view = client.with_options(timeout=5)
    view.region = "south"

    assert (client.region, view.region) == ("north", "south")


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("inf")},
        {"timeout": float("nan")},
        {"read_timeout": "5"},
        {"connect_timeout": True},
        {"max_body_size": 0},
        {"headers": {"bad name": "x"}},
        {"timout": 5},
    ],
)
def test_a_view_or_client_with_a_setting_that_makes_no_sense_is_refused(colour: Colour, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        colour.client(Core).with_options(**wrong)
    if "timout" not in wrong:
        with pytest.raises(UsageError):
            colour.client(Core, **wrong)


def test_a_view_without_retry_tries_once_and_the_client_still_retries(colour: Colour) -> None:
    transport = FakeTransport(otherwise=ConnectError("down"))
    client = colour.client(Core, transport, plugins=["retry"])

    assert failure(colour, client.with_options(retry=None).get_node, "a").call is not None
    assert len(transport.requests) == 1
    assert failure(colour, client.get_node, "a").call is not None
    assert len(transport.requests) == 4


# --- errors


def test_an_error_says_in_which_operation_after_how_many_attempts_and_how_long(colour: Colour) -> None:
    transport = FakeTransport(otherwise=Response(503))
    client = colour.client(Core, transport, plugins=["retry"], visible_query=["deep"])

    error = failure(colour, client.get_node, "a", deep=True)

    assert type(error) is UnavailableError
    assert error.call is not None
    assert error.call.operation == "get_node"
    assert error.call.method == "GET"
    assert error.call.url == "https://api.example.test/v1/nodes/a?deep=1"
    assert error.call.attempts == 3
    assert error.call.elapsed == sum(client.runtime.sleeps) > 0
    assert not error.call.may_have_been_processed


def test_an_error_of_a_nested_operation_tells_of_the_inner_one(colour: Colour) -> None:
    error = failure(colour, colour.client(Core, FakeTransport([Response(500)])).pair, "a", "b")

    assert error.call is not None
    assert error.call.operation == "get_node"


@pytest.mark.parametrize("name", ["rename", "wait_and_rename"])
@pytest.mark.parametrize(
    ("answer", "doubt"),
    [
        *((ReadTimeoutError("late"), True), (ConnectError("down"), False), (TruncatedBodyError("cut"), True)),
        *((Response(500), True), (Response(503), True), (Response(409), False), (Response(501), False)),
    ],
)
def test_a_change_that_was_sent_and_not_answered_may_have_been_processed(
    colour: Colour, name: str, answer: Any, doubt: bool
) -> None:
    client = colour.client(Core, FakeTransport([answer]))
    arguments = ("a", "b") if name == "rename" else ("a",)

    error = failure(colour, getattr(client, name), *arguments)

    assert error.call is not None
    assert error.call.operation == name
    assert error.call.attempts == 1
    assert error.call.url == "https://api.example.test/v1/nodes/a"
    assert error.call.may_have_been_processed is doubt


def test_a_read_that_was_not_answered_leaves_no_doubt(colour: Colour) -> None:
    error = failure(colour, colour.client(Core, FakeTransport([ReadTimeoutError("late")])).get_node, "a")

    assert error.call is not None
    assert not error.call.may_have_been_processed


def test_a_change_whose_first_attempt_was_not_answered_stays_in_doubt_when_the_second_never_leaves(
    colour: Colour, plugin: type[Steps]
) -> None:
    async def again(request: Request, call: Call, proceed: Proceed) -> Response:
        try:
            return await proceed(request, call)
        except NetworkError:
            return await proceed(request, call)

    transport = FakeTransport([ReadTimeoutError("late"), ConnectError("down")])
    client = colour.client(Core, transport, plugins=[plugin("again", Step("again", Stage.RETRY, again))])

    error = failure(colour, client.rename, "a", "b")

    assert type(error) is ConnectError
    assert error.call is not None
    assert (error.call.attempts, error.call.may_have_been_processed) == (2, True)


def test_an_error_that_is_not_ours_leaves_a_body_as_it_is(colour: Colour) -> None:
    class Faulty(Service):
        @operation
        async def fail(self) -> None:
            raise ZeroDivisionError("a defect")

    with pytest.raises(ZeroDivisionError, match="a defect"):
        colour.get(colour.client(Faulty).fail())


def test_an_error_answer_to_a_streamed_call_lets_the_body_go_and_is_plain_data(colour: Colour) -> None:
    body = Pieces(b"no ", b"such thing")
    client = colour.client(Core, FakeTransport([Response(404, body=body)]))

    error = failure(colour, client.stream)

    assert isinstance(error, NotFoundError)
    assert error.response is not None
    assert isinstance(error.response.body, bytes)
    assert error.response.content in (b"", b"no such thing")
    assert body.closed >= 1
    assert pickle.loads(pickle.dumps(error)).response == error.response
    assert error.call is not None
    assert error.call.operation == "stream"


def test_the_body_of_an_endless_error_answer_is_not_read_to_its_end(colour: Colour) -> None:
    class Endless(Pieces):
        async def read(self) -> bytes:
            self.left.append(b"")
            assert len(self.left) < 10_000
            return b"x" * 65536

    body = Endless()

    error = failure(colour, colour.client(Core, FakeTransport([Response(500, body=body)])).stream)

    assert body.closed >= 1
    assert len(pickle.dumps(error)) < 10_000_000


@pytest.mark.parametrize(
    "stop",
    [ReadTimeoutError("late"), ProtocolError("no HTTP"), DeadlineExceededError("late")],
    ids=lambda e: type(e).__name__,
)
def test_an_error_answer_whose_body_does_not_come_is_still_that_error_and_lets_the_body_go(
    colour: Colour, stop: Exception
) -> None:
    class Stuck(Pieces):
        async def read(self) -> bytes:
            if self.left:
                return self.left.pop(0)
            raise stop

    body = Stuck(b"no such ")

    error = failure(colour, colour.client(Core, FakeTransport([Response(404, body=body)])).stream)

    assert isinstance(error, NotFoundError)
    assert error.response is not None
    assert error.response.content == b"no such "
    assert body.closed >= 1


def test_an_interruption_while_the_body_of_an_error_answer_is_read_lets_it_go(colour: Colour) -> None:
    class Interrupted(BaseException):
        """As KeyboardInterrupt, which no event loop takes for its own."""

    class Stuck(Pieces):
        async def read(self) -> bytes:
            raise Interrupted

    body = Stuck()

    with pytest.raises(Interrupted):
        colour.get(colour.client(Core, FakeTransport([Response(404, body=body)])).stream())
    assert body.closed >= 1


def test_a_good_answer_to_a_streamed_call_is_left_to_be_read(colour: Colour) -> None:
    body = Pieces(b"a", b"b")

    response = colour.get(colour.client(Core, FakeTransport([Response(200, body=body)])).stream())

    assert response.body is body
    assert (body.left, body.closed) == ([b"a", b"b"], 0)


# --- what a client is


@pytest.mark.parametrize("decorator", [paged, job, streamed])
def test_a_decorator_without_its_style_says_so_at_once(decorator: Any) -> None:
    async def body(self: Any, at: Any) -> None: ...

    with pytest.raises(ConfigurationError, match=rf"write @{decorator.__name__}\("):
        decorator(body)


@pytest.mark.parametrize("wrong", [FakeTransport, object(), "https://h", list])
def test_what_cannot_send_is_no_transport(colour: Colour, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="has `send` and `close`"):
        colour.client(Core, wrong)


@pytest.mark.parametrize("given", [True, False])
def test_a_transport_that_a_function_makes_is_closed_with_its_client(colour: Colour, given: bool) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = colour.client(Core, transport if given else lambda: transport)

    colour.close(client)

    assert transport.closed is not given


def test_a_client_has_one_colour() -> None:
    with pytest.raises(ConfigurationError, match="has both colours"):
        type("Striped", (Core, Client, AsyncClient), {})


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_that_was_not_made_says_what_was_forgotten(kind: type) -> None:
    class Lazy(Core):
        def __init__(self) -> None:
            """Forgets something."""

    client: Any = type("LazyClient", (Lazy, kind), {})()

    with pytest.raises(UsageError, match=r"LazyClient was not made.*super\(\).__init__\(base_url"):
        client.with_options(timeout=1)
    with pytest.raises(AttributeError, match="has no attribute 'absent'"):
        _ = client.absent


def test_a_fault_that_is_not_ours_says_in_which_call_it_happened_once(colour: Colour, plugin: type[Steps]) -> None:
    def fail(request: Request, call: Call) -> Request:
        raise ZeroDivisionError("theirs")

    class Outer(Core):
        @operation
        async def outer(self) -> None:
            await self.get_node("a")

    client = colour.client(Outer, plugins=[plugin("theirs", Pure("theirs", Stage.PREPARE, request=fail))])

    with pytest.raises(ZeroDivisionError) as caught:
        colour.get(client.outer())

    assert caught.value.__notes__ == ["in this call: get_node: 0 attempts, 0.00 s"]


class Frozen(Exception):
    """Takes no notes."""

    def add_note(self, note: str) -> None:
        raise TypeError("frozen")


@pytest.mark.parametrize("notes", [None, ["theirs"]])
@pytest.mark.parametrize("kind", [Frozen, ValueError])
def test_a_fault_that_takes_no_notes_leaves_as_it_is(colour: Colour, kind: type[Exception], notes: Any) -> None:
    error: Any = kind("theirs")
    error.__notes__ = notes

    class Failing(Service):
        @operation
        async def fail(self) -> None:
            raise error

    with pytest.raises(kind) as caught:
        colour.get(colour.client(Failing).fail())

    assert caught.value is error


def test_a_property_that_fails_says_what_it_lacks() -> None:
    class Wrong(Core):
        @property
        def broken(self) -> Any:
            return self.absent  # type: ignore[attr-defined]  # that is what is wrong

    client: Any = type("WrongClient", (Wrong, Client), {})("https://h", transport=FakeTransport())

    with pytest.raises(AttributeError, match="'absent'"):
        _ = client.broken


def test_a_service_of_no_colour_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"class X\(Core, Client\).*AsyncClient"):
        Core("https://h", transport=FakeTransport())


def test_a_client_refuses_the_runtime_of_the_other_colour() -> None:
    with pytest.raises(ConfigurationError, match="VirtualAsyncioRuntime"):
        CoreClient("https://h", runtime=VirtualAsyncioRuntime())
    with pytest.raises(ConfigurationError, match="would block"):
        AsyncCoreClient("https://h", runtime=VirtualSyncRuntime())


@pytest.mark.parametrize("base", ["api.example.com", "ftp://h", "https://user:pass@h/", "https://h/?a=b", ""])
def test_a_client_of_a_base_that_is_no_url_is_refused(colour: Colour, base: str) -> None:
    kind = CoreClient if colour.base is Client else AsyncCoreClient

    with pytest.raises(UsageError):
        kind(base, transport=FakeTransport())


def test_a_client_is_neither_pickled_nor_copied_and_the_refusal_shows_no_secret(colour: Colour) -> None:
    client = colour.client(Core, headers={"authorization": CANARY})

    attempts: list[Callable[[Any], object]] = [pickle.dumps, copy.copy, copy.deepcopy]
    for attempt in attempts:
        with pytest.raises(TypeError, match="make another one") as caught:
            attempt(client)
        assert CANARY not in str(caught.value)


def test_a_client_prints_its_base_and_no_secret(colour: Colour) -> None:
    client = colour.client(Core, headers={"authorization": CANARY}, plugins=[Keyed()])

    assert "https://api.example.test/v1" in repr(client)
    assert CANARY not in repr(client)


def test_a_closed_client_refuses_calls_and_so_do_its_views(colour: Colour) -> None:
    transport = FakeTransport(otherwise=node())
    client = colour.client(Core, transport)
    view = client.with_options(timeout=5)

    colour.close(client)

    for one in (client, view):
        assert "closed" in str(failure(colour, one.get_node, "a"))
    assert transport.requests == []


def test_closing_a_client_twice_is_allowed_and_a_transport_that_was_given_stays_open(colour: Colour) -> None:
    transport = FakeTransport()
    client = colour.client(Core, transport)

    colour.close(client)
    colour.close(client)

    assert not transport.closed


def test_a_with_block_closes_the_client_also_when_it_fails() -> None:
    client = CoreClient("https://h", transport=FakeTransport(otherwise=node()))

    with pytest.raises(KeyError), client:
        raise KeyError
    with pytest.raises(UsageError, match="closed"):
        client.get_node("a")


def test_an_async_with_block_closes_the_client_also_when_it_fails() -> None:
    async def main() -> None:
        client = AsyncCoreClient("https://h", transport=FakeTransport(otherwise=node()))
        with pytest.raises(KeyError):
            async with client:
                raise KeyError
        with pytest.raises(UsageError, match="closed"):
            await client.get_node("a")

    asyncio.run(main())


def test_the_call_is_for_the_inside_of_an_operation(colour: Colour) -> None:
    with pytest.raises(UsageError, match="inside of an operation"):
        _ = colour.client(Core).call


def test_sending_outside_an_operation_is_refused(colour: Colour) -> None:
    client = colour.client(Core)

    with pytest.raises(UsageError, match="inside of an operation"):
        asyncio.run(client.send(Request("GET", client.url())))


def test_an_answer_that_is_not_what_the_operation_promises_is_a_decode_error_with_its_call(colour: Colour) -> None:
    error = failure(colour, colour.client(Core, FakeTransport([Response(200, body=b"<html>")])).get_node, "a")

    assert type(error).__name__ == "DecodeError"
    assert error.call is not None
    assert error.call.attempts == 1
    assert json.dumps(error.call)  # plain data, all of it


def test_the_clients_headers_do_not_leave_its_origin(colour: Colour) -> None:
    class Leaving(Service):
        @operation
        async def leave(self, to: str) -> int:
            return (await self.send(Request("GET", Url.parse(to)))).status

    transport = FakeTransport(otherwise=Response(200))
    client = colour.client(Leaving, transport, headers={"X-Api-Key": "canary"})

    colour.get(client.leave("https://elsewhere.test/next"))
    colour.get(client.leave("https://api.example.test/next"))

    assert ["x-api-key" in request.headers for request in transport.requests] == [False, True]
