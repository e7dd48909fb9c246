"""The chain: who stands where, who is called when, and that the same plugins always make the same chain."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    Call,
    ConfigurationError,
    ConnectError,
    NotFoundError,
    Proceed,
    Pure,
    Request,
    Response,
    Service,
    Stage,
    Step,
    UnavailableError,
    Url,
    Without,
    operation,
)
from jackfield._steps import Contribution, compile_chain
from jackfield.testing import FakeTransport

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour, Steps


class Core(Service):
    @operation
    async def get(self) -> bytes:
        return (await self.send(Request("GET", self.url("thing")))).content


async def passing(request: Request, call: Call, proceed: Proceed) -> Response:
    return await proceed(request, call)


def nowhere(request: Request, call: Call) -> Awaitable[Response]:
    raise AssertionError("nothing is sent while a chain is compiled")


def names(steps: Iterable[Step | Pure]) -> list[str]:
    """The names of the steps, each from a plugin of its own, in the order of the chain."""
    return [part.step.name for part in compile_chain([Contribution(f"p-{s.name}", s) for s in steps], nowhere).parts]


def step(name: str, stage: Stage = Stage.LIMIT, *, before: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> Step:
    return Step(name, stage, passing, before, after)


def telling(name: str, stage: Stage, heard: list[str]) -> Step:
    """A step that says when it is passed, in both directions."""

    async def tell(request: Request, call: Call, proceed: Proceed) -> Response:
        heard.append(f"> {name}")
        try:
            return await proceed(request, call)
        finally:
            heard.append(f"< {name}")

    return Step(name, stage, tell)


def pure(name: str, stage: Stage, heard: list[str]) -> Pure:
    """The same without awaiting; what it changes is told in a header of the request and in the body of the response."""

    def out(request: Request, call: Call) -> Request:
        heard.append(f"> {name}")
        return request.with_headers(request.headers.replacing("path", request.headers.get("path", "") + name))

    def back(response: Response, call: Call) -> Response:
        heard.append(f"< {name}")
        return response.replace(body=response.content + name.encode())

    return Pure(name, stage, request=out, response=back)


def test_steps_stand_in_the_order_of_their_stages() -> None:
    steps = [step(stage.name.lower(), stage) for stage in reversed(Stage)]

    assert names(steps) == ["prepare", "deadline", "redirect", "cache", "retry", "limit", "auth", "sign"]


def test_within_a_stage_the_name_decides_where_nobody_says_otherwise() -> None:
    assert names([step("c"), step("a"), step("b")]) == ["a", "b", "c"]


def test_before_and_after_are_kept_and_go_over_the_name() -> None:
    assert names([step("a", after=("c",)), step("b"), step("c")]) == ["b", "c", "a"]
    assert names([step("a"), step("b"), step("c", before=("a",))]) == ["b", "c", "a"]
    assert names([step("a", after=("b",)), step("b", after=("c",)), step("c")]) == ["c", "b", "a"]


def test_the_same_wish_from_both_sides_is_one_wish() -> None:
    assert names([step("a", after=("b",)), step("b", before=("a",))]) == ["b", "a"]


def test_a_wish_about_a_step_that_is_not_there_means_nothing() -> None:
    assert names([step("a", after=("cache",), before=("nobody",)), step("b")]) == ["a", "b"]


def test_a_wish_about_a_step_of_another_stage_means_nothing() -> None:
    steps = [step("a", Stage.AUTH, before=("b",)), step("b", Stage.CACHE, after=("a",))]

    assert names(steps) == ["b", "a"]


@pytest.mark.parametrize(
    "steps",
    [
        [step("a", before=("b",)), step("b", before=("a",))],
        [step("a", after=("b",)), step("b", after=("c",)), step("c", after=("a",)), step("d")],
        [step("a", before=("b",), after=("b",)), step("b")],
        [step("a", before=("a",))],
    ],
)
def test_wishes_in_a_circle_are_an_error_that_names_the_circle(steps: list[Step]) -> None:
    with pytest.raises(ConfigurationError, match=r"'a'.*LIMIT") as caught:
        names(steps)

    assert "'d'" not in str(caught.value)


@pytest.mark.parametrize("stage", [Stage.RETRY, Stage.AUTH, Stage.SIGN])
def test_a_stage_of_one_owner_refuses_a_second_and_names_both(stage: Stage) -> None:
    with pytest.raises(ConfigurationError, match=rf"{stage.name}.*'p-mine' and 'p-yours'") as caught:
        names([step("yours", stage), step("mine", stage)])

    assert "Without('p-mine')" in str(caught.value)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in (Stage.RETRY, Stage.AUTH, Stage.SIGN)])
def test_every_other_stage_takes_steps_of_several_plugins(stage: Stage) -> None:
    assert names([step("yours", stage), step("mine", stage)]) == ["mine", "yours"]


def test_the_one_owner_may_have_several_steps_in_its_stage() -> None:
    parts = [Contribution("auth", step("b", Stage.AUTH)), Contribution("auth", step("a", Stage.AUTH))]

    assert [part.step.name for part in compile_chain(parts, nowhere).parts] == ["a", "b"]


def test_a_pure_step_owns_its_stage_as_any_other() -> None:
    with pytest.raises(ConfigurationError, match="two owners"):
        names([step("a", Stage.AUTH), Pure("b", Stage.AUTH)])


def test_two_steps_of_one_name_are_an_error_that_names_both_plugins() -> None:
    parts = [Contribution("mine", step("same", Stage.CACHE)), Contribution("yours", step("same", Stage.LIMIT))]

    with pytest.raises(ConfigurationError, match=r"'same'.*'mine'.*'yours'"):
        compile_chain(parts, nowhere)


@pytest.mark.parametrize("stage", [5, "RETRY", None])
def test_a_step_of_no_stage_is_refused_and_does_not_vanish(colour: Colour, plugin: type[Steps], stage: Any) -> None:
    mine = plugin("mine", Step("mine", stage, passing))

    with pytest.raises(ConfigurationError, match="mine"):
        colour.client(Core, plugins=[mine])


def test_a_wish_that_lacks_its_comma_is_refused_and_not_ignored(colour: Colour, plugin: type[Steps]) -> None:
    wish: Any = "zebra"
    steps = [plugin("ant", Step("ant", Stage.LIMIT, passing, after=wish)), plugin("zebra", step("zebra"))]

    with pytest.raises(ConfigurationError, match="ant"):
        colour.client(Core, plugins=steps)


def test_the_chain_prints_who_stands_where_and_from_which_plugin(colour: Colour, plugin: type[Steps]) -> None:
    client = colour.client(Core, plugins=[plugin("mine", step("gate", Stage.LIMIT), step("keys", Stage.SIGN))])

    rows = [row.split() for row in str(client.chain).splitlines()]

    assert rows == [
        ["PREPARE", "errors", "(from", "errors)"],
        ["PREPARE", "headers", "(from", "headers)"],
        ["DEADLINE", "deadline", "(from", "deadline)"],
        ["REDIRECT", "redirect", "(from", "redirect)"],
        ["LIMIT", "gate", "(from", "mine)"],
        ["SIGN", "keys", "(from", "mine)"],
        ["transport"],
    ]


def test_every_step_is_passed_on_the_way_out_and_in_reverse_on_the_way_back(
    colour: Colour, plugin: type[Steps]
) -> None:
    heard: list[str] = []
    steps = [telling(stage.name, stage, heard) for stage in Stage]
    client = colour.client(Core, plugins=[plugin("all", *steps)])

    colour.get(client.get())

    way = [stage.name for stage in Stage]
    assert heard == [f"> {name}" for name in way] + [f"< {name}" for name in reversed(way)]


def test_pure_steps_between_awaiting_ones_keep_their_place_in_both_directions(
    colour: Colour, plugin: type[Steps]
) -> None:
    heard: list[str] = []
    steps: list[Step | Pure] = [
        pure("a", Stage.REDIRECT, heard),
        pure("b", Stage.REDIRECT, heard),
        telling("c", Stage.CACHE, heard),
        pure("d", Stage.LIMIT, heard),
        pure("e", Stage.AUTH, heard),
        pure("f", Stage.SIGN, heard),
    ]
    transport = FakeTransport([Response(200, body=b"!")])
    client = colour.client(Core, transport, plugins=[plugin("all", *steps), Without("deadline")])

    body = colour.get(client.get())

    assert heard == [f"> {name}" for name in "abcdef"] + [f"< {name}" for name in "fedcba"]
    assert transport.requests[0].headers["path"] == "abdef"
    assert body == b"!fedba"


def test_a_pure_step_may_act_in_one_direction_only(colour: Colour, plugin: type[Steps]) -> None:
    def out(request: Request, call: Call) -> Request:
        return request.replace(query={"from": "out"})

    def back(response: Response, call: Call) -> Response:
        return response.replace(body=b"back")

    steps = [Pure("out", Stage.LIMIT, request=out), Pure("none", Stage.LIMIT), Pure("back", Stage.LIMIT, response=back)]
    transport = FakeTransport([Response(200)])
    client = colour.client(Core, transport, plugins=[plugin("all", *steps)])

    assert colour.get(client.get()) == b"back"
    assert transport.requests[0].query == (("from", "out"),)


def test_a_step_that_proceeds_twice_makes_two_attempts_and_all_below_it_happens_twice(
    colour: Colour, plugin: type[Steps]
) -> None:
    heard: list[str] = []

    async def twice(request: Request, call: Call, proceed: Proceed) -> Response:
        await proceed(request, call)
        return await proceed(request.replace(query={"attempt": "2"}), call)

    steps = [
        telling("above", Stage.CACHE, heard),
        Step("twice", Stage.RETRY, twice),
        telling("below", Stage.SIGN, heard),
    ]
    transport = FakeTransport([Response(200, body=b"1"), Response(200, body=b"2")])
    client = colour.client(Core, transport, plugins=[plugin("all", *steps)])

    assert colour.get(client.get()) == b"2"
    assert heard == ["> above", "> below", "< below", "> below", "< below", "< above"]
    assert [request.target for request in transport.requests] == ["/v1/thing", "/v1/thing?attempt=2"]


def test_a_step_that_does_not_proceed_answers_itself(colour: Colour, plugin: type[Steps]) -> None:
    async def answer(request: Request, call: Call, proceed: Proceed) -> Response:
        return Response(200, body=b"cached")

    heard: list[str] = []
    transport = FakeTransport()
    steps = [Step("answer", Stage.CACHE, answer), telling("below", Stage.SIGN, heard)]
    client = colour.client(Core, transport, plugins=[plugin("all", *steps)])

    assert colour.get(client.get()) == b"cached"
    assert transport.requests == []
    assert heard == []


def test_a_step_sees_every_error_and_may_turn_it_into_an_answer(colour: Colour, plugin: type[Steps]) -> None:
    async def forgive(request: Request, call: Call, proceed: Proceed) -> Response:
        try:
            return await proceed(request, call)
        except ConnectError:
            return Response(200, body=b"forgiven")

    transport = FakeTransport([ConnectError("down")])
    client = colour.client(Core, transport, plugins=[plugin("forgive", Step("forgive", Stage.CACHE, forgive))])

    assert colour.get(client.get()) == b"forgiven"


def test_below_the_errors_plugin_a_bad_status_is_an_answer_above_it_an_error(
    colour: Colour, plugin: type[Steps]
) -> None:
    seen: list[int] = []

    def look(response: Response, call: Call) -> Response:
        seen.append(response.status)
        return response

    client = colour.client(
        Core, FakeTransport([Response(503)]), plugins=[plugin("look", Pure("look", Stage.LIMIT, response=look))]
    )

    with pytest.raises(UnavailableError):
        colour.get(client.get())
    assert seen == [503]


@pytest.mark.parametrize("direction", ["request", "response"])
def test_an_error_of_a_pure_step_reaches_the_caller(colour: Colour, plugin: type[Steps], direction: str) -> None:
    def fail(message: Any, call: Call) -> Any:
        raise NotFoundError("by the step")

    failing = Pure("fail", Stage.LIMIT, **{direction: fail})  # type: ignore[arg-type]  # one or the other
    client = colour.client(Core, plugins=[plugin("fail", failing)])

    with pytest.raises(NotFoundError, match="by the step") as caught:
        colour.get(client.get())
    assert caught.value.call is not None
    assert caught.value.call.attempts == (1 if direction == "response" else 0)


def test_nothing_is_compiled_twice_for_two_calls(colour: Colour, plugin: type[Steps]) -> None:
    counted = plugin("counted", step("counted"))
    client = colour.client(Core, plugins=[counted])

    for _ in range(3):
        colour.get(client.get())

    assert counted.asked == 1


def partial_order() -> st.SearchStrategy[list[Step | Pure]]:
    """Steps that have wishes, but never in a circle: each wishes only about those of a greater rank."""

    def build(drawn: list[tuple[str, Stage, bool, list[int], bool]]) -> list[Step | Pure]:
        built: list[Step | Pure] = []
        for name, stage, is_pure, wishes, backwards in drawn:
            others = tuple(drawn[i % len(drawn)][0] for i in wishes if (drawn[i % len(drawn)][0] < name) is backwards)
            others = tuple(other for other in others if other != name)
            wish: dict[str, Any] = {"after" if backwards else "before": others}
            built.append(Pure(name, stage, **wish) if is_pure else Step(name, stage, passing, **wish))
        return built

    stages = st.sampled_from([Stage.PREPARE, Stage.CACHE, Stage.LIMIT])
    row = st.tuples(
        st.text("abcdefgh", min_size=1, max_size=3), stages, st.booleans(), st.lists(st.integers(0, 20), max_size=3)
    )
    rows = st.lists(st.tuples(row, st.booleans()), max_size=8, unique_by=lambda pair: pair[0][0])
    return rows.map(lambda pairs: build([(*fields, backwards) for fields, backwards in pairs]))


@given(partial_order().flatmap(lambda steps: st.tuples(st.just(steps), st.permutations(steps))))
@settings(deadline=None, max_examples=150)
def test_any_permutation_of_the_same_steps_compiles_to_the_same_order(
    both: tuple[list[Step | Pure], list[Step | Pure]],
) -> None:
    steps, shuffled = both

    order = names(steps)

    assert names(shuffled) == order
    assert sorted(order) == sorted(step.name for step in steps)
    place = {name: index for index, name in enumerate(order)}
    for one in steps:
        for other in steps:
            assert one.stage >= other.stage or place[one.name] < place[other.name]
            if one.stage is other.stage:
                assert other.name not in one.before or place[one.name] < place[other.name]
                assert other.name not in one.after or place[one.name] > place[other.name]


def test_a_plain_function_that_gives_an_awaitable_is_a_step(colour: Colour, plugin: type[Steps]) -> None:
    def plain(request: Request, call: Call, proceed: Proceed) -> Awaitable[Response]:
        return proceed(request.replace(query={"by": "plain"}), call)

    transport = FakeTransport([Response(200)])
    client = colour.client(Core, transport, plugins=[plugin("plain", Step("plain", Stage.LIMIT, plain))])

    colour.get(client.get())

    assert transport.requests[0].query == (("by", "plain"),)


class Elsewhere(Service):
    @operation
    async def ask(self, url: str) -> int:
        return (await self.send(Request("GET", Url.parse(url)))).status


def marking(name: str) -> Any:
    """As a step, and as a pure one: marks what it sees."""

    async def run(request: Request, call: Call, proceed: Proceed) -> Response:
        return await proceed(mark(request, call), call)

    def mark(request: Request, call: Call) -> Request:
        return request.with_headers(request.headers.replacing(f"x-{name}", "seen"))

    return run, mark


@pytest.mark.parametrize("stage", [Stage.AUTH, Stage.SIGN])
@pytest.mark.parametrize("any_origin", [False, True])
@pytest.mark.parametrize("pure", [False, True])
def test_what_may_hold_credentials_is_for_the_services_own_origin(
    colour: Colour, plugin: type[Steps], stage: Stage, any_origin: bool, pure: bool
) -> None:
    run, mark = marking("mine")
    step = (
        Pure("mine", stage, request=mark, any_origin=any_origin)
        if pure
        else Step("mine", stage, run, any_origin=any_origin)
    )
    transport = FakeTransport(otherwise=Response(200))
    client = colour.client(Elsewhere, transport, plugins=[plugin("mine", step)])

    for url in ("https://api.example.test/x", "https://API.example.test:443/x", "http://api.example.test/x"):
        colour.get(client.ask(url))
    for url in ("https://api.example.test:444/x", "https://example.test/x", "https://api.example.test.evil.test/x"):
        colour.get(client.ask(url))

    assert ["x-mine" in request.headers for request in transport.requests] == [True, True, *[any_origin] * 4]


def test_other_stages_see_every_request(colour: Colour, plugin: type[Steps]) -> None:
    run, _ = marking("mine")
    transport = FakeTransport(otherwise=Response(200))
    client = colour.client(Elsewhere, transport, plugins=[plugin("mine", Step("mine", Stage.LIMIT, run))])

    colour.get(client.ask("https://other.example.test/"))

    assert "x-mine" in transport.requests[0].headers
