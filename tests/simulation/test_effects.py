"""POSTs under random cuts, against a service that counts effects: never one too many, never one too few."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from tests.servers import Peer, ScriptedServer

from jackfield import AsyncClient, Client, JackfieldError, Request, Response, Service, operation
from jackfield.testing import Relay, Reply, SimulatedNetwork, SimulatedRuntime, Tamper, Trouble
from jackfield_plugins.retry import IdempotencyKey, Retry

KEYED, PLAIN, REAL = 10_000, 3_000, 500
AT_ONCE = 200
RETRY = Retry(max_attempts=4)


class Orders(Service):
    @operation
    async def place(self, name: str, key: str) -> str:
        headers = {"idempotency-key": key} if key else {}
        response = await self.send(Request("POST", self.url("orders"), headers=headers, body=name.encode()))
        return response.content.decode()


class SyncShop(Orders, Client): ...


class AsyncShop(Orders, AsyncClient): ...


class Books:
    """Carries an order out once for each key, and every time where there is none; says what it did."""

    def __init__(self) -> None:
        self.effects: Counter[str] = Counter()
        self.came: Counter[str] = Counter()
        self._done: dict[str, str] = {}
        self._guard = threading.Lock()

    def order(self, name: str, key: str) -> str:
        with self._guard:
            self.came[name] += 1
            if key not in self._done:
                self.effects[name] += 1
                if key:
                    self._done[key] = f"done {name}"
            return f"done {name}"

    def __call__(self, request: Request) -> Response:
        assert isinstance(request.body, bytes)
        return Response(
            200, body=self.order(request.body.decode(), request.headers.get("idempotency-key", "")).encode()
        )


def test_ten_thousand_keyed_posts_have_each_one_effect() -> None:
    runtime, books = SimulatedRuntime(11), Books()
    network = SimulatedNetwork(books, trouble=0.2, latency=(0.001, 0.1))
    shop = AsyncShop(
        "https://shop.example.test", transport=network, runtime=runtime, plugins=[RETRY, IdempotencyKey()], timeout=3600
    )

    async def buyer(names: range) -> None:
        for name in names:
            while True:  # until it is said to be done; a program would keep its key as well
                try:
                    assert await shop.place(str(name), f"key-{name}") == f"done {name}"
                    break
                except JackfieldError:
                    await runtime.sleep(1)

    each = KEYED // AT_ONCE
    runtime.run(runtime.gather(*(buyer(range(start, start + each)) for start in range(0, KEYED, each))))

    assert books.effects == Counter({str(name): 1 for name in range(KEYED)})  # 0 losses, 0 duplicates
    assert sorted(network.met, key=list(Trouble).index) == list(Trouble)
    assert books.came.total() > KEYED * 1.05  # without the key there would have been duplicates


def test_a_key_of_the_clients_own_is_the_same_in_every_attempt() -> None:
    runtime, books = SimulatedRuntime(12), Books()
    network = SimulatedNetwork(books, trouble=0.3)
    shop = AsyncShop(
        "https://shop.example.test", transport=network, runtime=runtime, plugins=[RETRY, IdempotencyKey()], timeout=3600
    )
    said: list[str] = []

    async def buyer(name: int) -> None:
        try:
            said.append((await shop.place(str(name), "")).removeprefix("done "))
        except JackfieldError:
            pass

    async def main() -> None:
        for start in range(0, 1000, 50):
            await runtime.gather(*(buyer(name) for name in range(start, start + 50)))

    runtime.run(main())

    assert max(books.effects.values()) == 1
    assert {books.effects[name] for name in said} == {1}
    assert books.came.total() > len(books.came)


def test_posts_without_a_key_are_never_sent_again_once_they_may_have_been_processed() -> None:
    runtime, books = SimulatedRuntime(13), Books()
    network = SimulatedNetwork(books, trouble=0.3)
    shop = AsyncShop("https://shop.example.test", transport=network, runtime=runtime, plugins=[RETRY])
    seen: Counter[str] = Counter()

    async def buyer(name: str) -> None:
        try:
            await shop.place(name, "")
        except JackfieldError as error:
            in_doubt = error.call is not None and error.call.may_have_been_processed
            seen["in doubt" if in_doubt else "surely not"] += 1
        else:
            seen["done"] += 1
            assert books.effects[name] == 1

    async def main() -> None:
        for start in range(0, PLAIN, 100):
            await runtime.gather(*(buyer(str(name)) for name in range(start, start + 100)))

    runtime.run(main())

    assert max(books.effects.values()) == 1
    assert seen["done"] > PLAIN / 2
    assert min(seen["in doubt"], seen["surely not"]) > 0
    assert len(books.effects) <= seen.total()


@pytest.mark.usefixtures("nothing_left")
def test_five_hundred_keyed_posts_over_real_sockets_have_each_one_effect() -> None:
    books, chance = Books(), Random(14)
    lines = 10

    def serve(peer: Peer) -> None:
        for request in peer.requests():
            key = request.get_all("idempotency-key")[0]
            peer.send(Reply(body=books.order(request.body.decode(), key).encode()).wire())

    def cuts() -> Tamper | None:
        if chance.random() < 0.5:
            return None
        way = chance.choice(["request", "answer"])
        return Tamper(chance.choice(["close", "reset"]), chance.randrange(250 if way == "request" else 60), way)  # type: ignore[arg-type]  # of these words

    def buy(line: int) -> None:
        with ScriptedServer(serve) as server, Relay(server.url) as relay:
            relay.plan(*(cuts() for _ in range(2000)))
            with SyncShop(relay.url, plugins=[Retry(max_attempts=3, base=0.001), IdempotencyKey()]) as shop:
                for name in range(line, REAL, lines):
                    _insist(shop, str(name))

    with ThreadPoolExecutor(lines) as threads:
        list(threads.map(buy, range(lines)))

    assert books.effects == Counter({str(name): 1 for name in range(REAL)})
    assert books.came.total() > REAL * 1.05


def _insist(shop: SyncShop, name: str) -> None:
    for _ in range(100):
        try:
            assert shop.place(name, f"key-{name}") == f"done {name}"
            return
        except JackfieldError:
            pass
    raise AssertionError(f"{name} was never done")
