"""The simulated network: what it does to a request, and what it leaves in doubt."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from jackfield import (
    AsyncClient,
    Client,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    JackfieldError,
    NetworkError,
    ReadTimeoutError,
    Request,
    Response,
    Service,
    TruncatedBodyError,
    UnavailableError,
    operation,
)
from jackfield.testing import FakeTransport, SimulatedNetwork, SimulatedRuntime, Trouble, VirtualSyncRuntime


class Core(Service):
    @operation
    async def post(self, name: str = "a") -> bytes:
        return (await self.send(Request("POST", self.url(name)))).content


class Api(Core, AsyncClient): ...


class SyncApi(Core, Client): ...


def client(runtime: SimulatedRuntime, network: Any, **options: Any) -> Api:
    return Api("https://api.example.test", transport=network, runtime=runtime, **options)


@pytest.mark.parametrize(
    ("trouble", "error", "processed", "in_doubt"),
    [
        (Trouble.REFUSED, ConnectError, False, False),
        (Trouble.LOST_REQUEST, ConnectionLostError, False, True),
        (Trouble.LOST_ANSWER, ConnectionLostError, True, True),
        (Trouble.TRUNCATED, TruncatedBodyError, True, True),
        (Trouble.SILENCE, ReadTimeoutError, True, True),
        (Trouble.BUSY, UnavailableError, False, True),  # a 503 does not say that nothing was done
    ],
)
def test_each_trouble_is_this_error_and_leaves_this_doubt(
    trouble: Trouble, error: type[JackfieldError], processed: bool, in_doubt: bool
) -> None:
    runtime, came = SimulatedRuntime(), list[Request]()

    def service(request: Request) -> Response:
        came.append(request)
        return Response(200)

    network = SimulatedNetwork(service, trouble=1.0, kinds=[trouble])

    async def main() -> None:
        with pytest.raises(error) as caught:
            await client(runtime, network).post()
        assert caught.value.call is not None
        assert caught.value.call.may_have_been_processed == in_doubt

    runtime.run(main())

    assert bool(came) == processed
    assert (network.requests, network.met) == (1, Counter({trouble: 1}))


def test_without_trouble_an_answer_takes_both_ways() -> None:
    runtime = SimulatedRuntime()
    network = SimulatedNetwork(lambda request: Response(200, body=request.url.path.encode()), latency=(2, 2))

    assert runtime.run(client(runtime, network).post("b")) == b"/b"
    assert runtime.elapsed == 4


def test_silence_lasts_as_long_as_the_client_bears_it_and_no_longer_than_its_deadline() -> None:
    runtime = SimulatedRuntime()
    network = SimulatedNetwork(lambda _: Response(200), trouble=1.0, kinds=[Trouble.SILENCE], latency=(0, 0))

    async def main() -> None:
        with pytest.raises(ReadTimeoutError):
            await client(runtime, network, read_timeout=7).post()
        assert runtime.elapsed == 7
        with pytest.raises(DeadlineExceededError):
            await client(runtime, network, read_timeout=7, timeout=3).post()
        assert runtime.elapsed == 10

    runtime.run(main())


def test_silence_ends_in_time_where_nothing_can_interrupt_it() -> None:
    runtime = VirtualSyncRuntime()
    network = SimulatedNetwork(lambda _: Response(200), trouble=1.0, kinds=[Trouble.SILENCE], latency=(0, 0))
    api = SyncApi("https://api.example.test", transport=network, runtime=runtime, read_timeout=7, timeout=3)

    with pytest.raises(DeadlineExceededError):
        api.post()
    assert runtime.elapsed == 3


def test_trouble_comes_as_often_as_it_is_said_to_and_of_every_kind() -> None:
    runtime = SimulatedRuntime(3)
    network = SimulatedNetwork(lambda _: Response(200), trouble=0.3)
    api = client(runtime, network)

    async def main() -> None:
        for _ in range(1000):
            try:
                await api.post()
            except (NetworkError, UnavailableError):
                pass

    runtime.run(main())

    assert network.requests == 1000
    assert 250 < network.met.total() < 350
    assert all(network.met[kind] > 25 for kind in Trouble)


def test_a_scripted_answer_that_is_interrupted_leaves_a_doubt() -> None:
    runtime = SimulatedRuntime()

    async def never(request: Request) -> Response:
        await runtime.sleep(100)
        return Response(200)

    async def main() -> None:
        with pytest.raises(DeadlineExceededError) as caught:
            await client(runtime, FakeTransport([never]), timeout=3).post()
        assert caught.value.call is not None
        assert caught.value.call.may_have_been_processed

    runtime.run(main())
