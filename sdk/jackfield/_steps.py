"""Steps, their stages, and the chain they are compiled into: once per client, with no hook call per request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import IntEnum
from itertools import groupby
from typing import NamedTuple, TypeAlias

from ._call import Call
from ._errors import ConfigurationError
from ._messages import Request, Response

Proceed: TypeAlias = Callable[[Request, Call], Awaitable[Response]]
StepFunction: TypeAlias = Callable[[Request, Call, Proceed], Awaitable[Response]]


class Stage(IntEnum):
    """Where a step stands. What is below RETRY happens once per attempt, what is above it once per call."""

    PREPARE = 1
    DEADLINE = 2
    REDIRECT = 3
    CACHE = 4
    RETRY = 5
    LIMIT = 6
    AUTH = 7
    SIGN = 8


_SOLE_OWNER = (Stage.RETRY, Stage.AUTH, Stage.SIGN)
_CREDENTIALS = (Stage.AUTH, Stage.SIGN)


class Step(NamedTuple):
    """A part of every call that awaits.

    Attributes:
        name: what others order themselves by.
        stage: where it stands.
        run: `async def run(request, call, proceed) -> Response`. It may change the request, call
            `proceed(request, call)` none, one or many times, and sees every response and error. It awaits nothing but
            the runtime (`call.runtime`), the transport and `proceed`.
        before: names of steps of the same stage that come later.
        after: names of steps of the same stage that come earlier.
        any_origin: of a step in AUTH or SIGN, whether it sees requests to other origins than the service's. Credentials
            are for the service, and for nobody else: leave it False.
    """

    name: str
    stage: Stage
    run: StepFunction
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    any_origin: bool = False


class Pure(NamedTuple):
    """A part of every call that only turns values into values; neighbours are fused, and cost no coroutine each."""

    name: str
    stage: Stage
    request: Callable[[Request, Call], Request] | None = None
    response: Callable[[Response, Call], Response] | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    any_origin: bool = False


class Contribution(NamedTuple):
    """A step, and the plugin it came from."""

    plugin: str
    step: Step | Pure


class Chain(NamedTuple):
    """The compiled way of a request. Printing it shows who stands where.

    Attributes:
        parts: the steps, in order.
        send: the whole way.
        end: past every step, to the transport.
    """

    parts: tuple[Contribution, ...]
    send: Proceed
    end: Proceed

    def __str__(self) -> str:
        rows = [f"{part.step.stage.name:<9}{part.step.name} (from {part.plugin})" for part in self.parts]
        return "\n".join([*rows, "transport"])


def compile_chain(parts: Iterable[Contribution], transport: Proceed) -> Chain:
    """Orders the steps and links each to the next.

    Raises:
        ConfigurationError: two owners of a stage that allows one, two steps of one name, or an order in a circle.
    """
    ordered = _ordered(tuple(parts))
    send = transport
    for pure, group in groupby(reversed(ordered), key=lambda part: isinstance(part.step, Pure)):
        if pure:
            send = _fused([part.step for part in reversed(tuple(group)) if isinstance(part.step, Pure)], send)
        else:
            for part in group:
                assert isinstance(part.step, Step)
                send = _linked(part.step, send)
    return Chain(ordered, send, transport)


def _linked(step: Step, proceed: Proceed) -> Proceed:
    run = step.run

    def link(request: Request, call: Call) -> Awaitable[Response]:
        return run(request, call, proceed)

    def link_at_home(request: Request, call: Call) -> Awaitable[Response]:
        return run(request, call, proceed) if request.url.origin == call.origin else proceed(request, call)

    return link_at_home if _stays_at_home(step) else link


def _stays_at_home(step: Step | Pure) -> bool:
    return step.stage in _CREDENTIALS and not step.any_origin


def _at_home(change: Callable[[Request, Call], Request]) -> Callable[[Request, Call], Request]:
    def at_home(request: Request, call: Call) -> Request:
        return change(request, call) if request.url.origin == call.origin else request

    return at_home


def _fused(steps: Sequence[Pure], proceed: Proceed) -> Proceed:
    requests = tuple(_at_home(s.request) if _stays_at_home(s) else s.request for s in steps if s.request)
    responses = tuple(step.response for step in reversed(steps) if step.response)

    def outward(request: Request, call: Call) -> Awaitable[Response]:
        for change in requests:
            request = change(request, call)
        return proceed(request, call)

    async def both_ways(request: Request, call: Call) -> Response:
        response = await outward(request, call)
        for change in responses:
            response = change(response, call)
        return response

    return both_ways if responses else outward


def _ordered(parts: tuple[Contribution, ...]) -> tuple[Contribution, ...]:
    by_name: dict[str, Contribution] = {}
    for part in parts:
        if (other := by_name.setdefault(part.step.name, part)) is not part:
            raise ConfigurationError(
                f"two steps are named {part.step.name!r}, of the plugins {other.plugin!r} and {part.plugin!r}: drop one"
            )
    ordered: list[Contribution] = []
    for stage in Stage:
        here = [part for part in parts if part.step.stage is stage]
        owners = sorted({part.plugin for part in here})
        if stage in _SOLE_OWNER and len(owners) > 1:
            raise ConfigurationError(
                f"{stage.name} has two owners, the plugins {' and '.join(map(repr, owners))}: "
                f"drop one with Without({owners[0]!r}), or give yours its name to take its place"
            )
        ordered += [by_name[name] for name in _sorted_names(stage, here)]
    return tuple(ordered)


def _sorted_names(stage: Stage, parts: list[Contribution]) -> list[str]:
    from heapq import heapify, heappop, heappush

    names = {part.step.name for part in parts}
    earlier: dict[str, set[str]] = {name: set() for name in names}
    for part in parts:
        earlier[part.step.name].update(names.intersection(part.step.after))
        for later in names.intersection(part.step.before):
            earlier[later].add(part.step.name)
    ready = [name for name, waits_for in earlier.items() if not waits_for]
    heapify(ready)  # ties go by name
    done: list[str] = []
    while ready:
        done.append(name := heappop(ready))
        del earlier[name]
        for other, waits_for in earlier.items():
            if name in waits_for:
                waits_for.remove(name)
                if not waits_for:
                    heappush(ready, other)
    if earlier:
        raise ConfigurationError(f"the steps {sorted(earlier)} of {stage.name} each want to be before the other")
    return done
