"""Whether the body of an error or a redirect is all there was: its status is told in any case."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.clients import COLOURS, Asker

from jackfield import Call, Proceed, Request, Response, Stage, Step, Transport, Urllib3Transport, Without, hookimpl
from jackfield.testing import Cut, CutBody, FakeTransport, FaultServer, Reply

KEPT = 64 * 1024


class Looking:
    """Notes of each answer whether it was cut."""

    name = "looking"

    def __init__(self) -> None:
        self.cut: list[bool] = []

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.LIMIT, self._run)]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        response = await proceed(request, call)
        self.cut.append(call.cut)
        return response


def asked(colour: str, url: str, transport: Transport) -> tuple[list[bool], int]:
    """Of a 404: whether it was cut, and how much of it there is."""
    looking = Looking()
    with Asker(colour, url, transport, plugins=[looking, Without("errors")]) as ask:
        size = len(ask().content)
    return looking.cut, size


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(("size", "cut"), [(0, False), (10, False), (KEPT, False), (KEPT + 1, True)])
def test_what_is_longer_than_a_message_is_cut(colour: str, size: int, cut: bool) -> None:
    body = b"x" * size
    with FaultServer(Reply(404, body)) as server:
        real = asked(colour, server.url, Urllib3Transport())
    fake = asked(colour, "http://a.test", FakeTransport([Response(404, body=body)]))

    assert real == fake == ([cut], min(size, KEPT))


@pytest.mark.parametrize("colour", COLOURS)
def test_what_breaks_off_is_cut(colour: str) -> None:
    with FaultServer(Cut("close", 90, Reply(404, b"x" * 100))) as server:
        real = asked(colour, server.url, Urllib3Transport())
    fake = asked(colour, "http://a.test", FakeTransport([Response(404, body=CutBody(b"x" * 100, after=50))]))

    assert real[0] == fake[0] == [True]
    assert fake[1] == 50
