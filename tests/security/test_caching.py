"""What a cache must not mix up, let be read, or be led astray by (S35)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from time import time
from typing import Any

import pytest
from tests.both import Both
from tests.clients import COLOURS
from tests.security.conftest import shapes

from jackfield import Call, Proceed, Request, Response, Service, Stage, Step, hookimpl, operation
from jackfield.testing import Answer, FakeTransport
from jackfield_plugins.auth import ApiKey, Basic, Bearer
from jackfield_plugins.caching import Cache, Found, MemoryStore, SqliteStore, Stored

both = pytest.mark.parametrize("colour", COLOURS)
URL = "https://api.example"


class Naive:
    """A cache as it is often written: by method and URL, for as long as it likes, whatever the answer says."""

    name = "cache"

    def __init__(self, store: Any = None) -> None:
        self._store = store
        self._kept: dict[Any, Response] = {}

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.CACHE, self._run)]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        key = self._key(request)
        if key not in self._kept:
            self._kept[key] = await proceed(request, call)
        return self._kept[key]

    def _key(self, request: Request) -> Any:
        return request.target


class Hostless(Naive):
    """It tells apart all but where a request goes."""

    def _key(self, request: Request) -> Any:
        return request.method, request.target, tuple(request.headers.pairs())


class Queryless(Naive):
    """It takes what a path names for one thing."""

    def _key(self, request: Request) -> Any:
        return request.url


class Never(Naive):
    """Nothing is ever kept: no answer is mixed up, and every test that wants one kept must see it."""

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        return await proceed(request, call)


ours_and_naive = pytest.mark.subjects(ours=Cache, naive=Naive)


class Api(Service):
    @operation
    async def ask(self, /, path: str = "r", method: str = "GET", **parts: Any) -> Response:
        return await self.send(Request(method, self.url(path), **parts))


def echo(**fields: str) -> Callable[[Request], Response]:
    """Answers with what came: a number that is never the same, and the credentials."""
    count = iter(range(1000))

    def answer(request: Request) -> Response:
        told = request.headers.get("authorization") or request.headers.get("x-api-key") or "nobody"
        return Response(200, {"cache-control": "max-age=60", **fields}, f"{next(count)} for {told}".encode())

    return answer


class Client(Both):
    def __init__(self, colour: str, cache: object, otherwise: Answer | None, *plugins: object, url: str = URL) -> None:
        self.fake = FakeTransport(otherwise=otherwise)
        transport: Any = self.fake
        super().__init__(colour, Api, url, transport, cache=cache, plugins=plugins)

    def __call__(self, *args: Any, **parts: Any) -> Response:
        response = self.get(self.client.ask(*args, **parts))
        assert isinstance(response, Response)
        return response


PAIRS: dict[str, tuple[Any, Any]] = {
    "bearer": (Bearer("alice"), Bearer("bob")),
    "basic": (Basic("alice", "x"), Basic("alice", "y")),
    "api key": (ApiKey("alice"), ApiKey("bob")),
    "bearer and nobody": (Bearer("alice"), None),
}


@both
@ours_and_naive
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_s35_clients_with_other_credentials_do_not_see_each_others_answers(
    subject: Any, colour: str, pair: tuple[Any, Any]
) -> None:
    cache = subject()
    found: list[bytes] = []
    for plugin in (*pair, *pair):
        plugins = [] if plugin is None else [plugin]
        with Client(colour, cache, echo(), *plugins) as client:
            found.append(client().content)

    assert found[0] != found[1]
    assert found[2:] == found[:2]  # and their own they do


@both
@ours_and_naive
@pytest.mark.parametrize(
    "name", ["Authorization", "Cookie", "X-Api-Key", "X-Auth-Token", "X-Session-Id", "X-Signature"]
)
def test_s35_nor_do_requests_with_other_credentials(subject: Any, colour: str, name: str) -> None:
    with Client(colour, subject(), echo()) as client:
        first, other = client(headers={name: "alice"}), client(headers={name: "bob"})
        without, again = client(), client(headers={name: "alice"})

    assert len({first.body, other.body, without.body}) == 3
    assert again.body == first.body


@both
@pytest.mark.subjects(ours=Cache, naive=Naive)
@pytest.mark.parametrize("vary", ["Authorization", "X-Tenant", "Accept, X-Tenant", "*"])
def test_s35_answers_that_vary_are_given_to_requests_that_agree(subject: Any, colour: str, vary: str) -> None:
    with Client(colour, subject(), echo(vary=vary)) as client:
        one = client(headers={"X-Tenant": "a", "Authorization": "x"})
        other = client(headers={"X-Tenant": "b", "Authorization": "y"})

    assert one.body != other.body


@both
@ours_and_naive
@pytest.mark.parametrize(
    "control", ["no-store", "no-cache", "max-age=0", "max-age=60, no-store", "no-cache, max-age=9"]
)
def test_s35_what_must_not_be_kept_is_not_given_again(subject: Any, colour: str, control: str) -> None:
    with Client(colour, subject(), echo(**{"cache-control": control})) as client:
        assert client().body != client().body


@both
@pytest.mark.subjects(ours=lambda: Cache(shared=True), naive=Naive)
def test_s35_a_shared_cache_does_not_keep_what_is_private(subject: Any, colour: str) -> None:
    with Client(colour, subject(), echo(**{"cache-control": "private, max-age=60"})) as client:
        assert client().body != client().body


@both
@ours_and_naive
@pytest.mark.parametrize("status", [401, 403, 500, 302])
def test_s35_refusals_and_failures_are_not_kept_unless_they_say_so(subject: Any, colour: str, status: int) -> None:
    answers = iter([Response(status, {}, b"no"), Response(200, {}, b"good")])
    with Client(colour, subject(), lambda _: next(answers)) as client:
        with pytest.raises(Exception):  # noqa: B017, PT011 - 302 without a location is another error than 403
            client()
        try:
            found = client().body
        except Exception:
            found = b"the refusal again"

    assert found == b"good"


@both
@ours_and_naive
def test_s35_an_answer_to_another_method_is_not_given_to_get(subject: Any, colour: str) -> None:
    with Client(colour, subject(), echo()) as client:
        posted = client("r", "POST", body=b"x")
        got = client()

    assert posted.body != got.body


@both
@pytest.mark.subjects(ours=Cache, hostless=Hostless)
@pytest.mark.parametrize("other", ["https://other.example", "http://api.example", "https://api.example:8443"])
def test_s35_another_scheme_host_or_port_is_another_thing(subject: Any, colour: str, other: str) -> None:
    cache = subject()
    with Client(colour, cache, lambda _: Response(200, {"cache-control": "max-age=60"}, b"ours")) as client:
        client()
    with Client(
        colour, cache, lambda _: Response(200, {"cache-control": "max-age=60"}, b"theirs"), url=other
    ) as client:
        found = client().body

    assert found == b"theirs"


@both
@pytest.mark.subjects(ours=Cache, queryless=Queryless)
@pytest.mark.parametrize("query", [{"q": "a&b=1"}, {"q": "a", "b": "1"}, {"Q": "a"}, {"q": ""}, {}, "q=%61"])
def test_s35_another_query_is_another_thing(subject: Any, colour: str, query: Any) -> None:
    with Client(colour, subject(), echo()) as client:
        one, other, again = (client(query=asked).body for asked in ({"q": "a"}, query, {"q": "a"}))

    assert one != other
    assert again == one


@both
@ours_and_naive
def test_s35_a_part_is_not_given_for_the_whole(subject: Any, colour: str) -> None:
    def answer(request: Request) -> Response:
        if "range" in request.headers:
            return Response(206, {"cache-control": "max-age=60", "content-range": "bytes 0-1/5"}, b"pa")
        return Response(200, {"cache-control": "max-age=60"}, b"whole")

    with Client(colour, subject(), answer) as client:
        part = client(headers={"Range": "bytes=0-1"})
        whole = client()

    assert (part.status, whole.status) == (206, 200)
    assert whole.body == b"whole"


@both
@pytest.mark.subjects(ours=Cache, naive=Naive, never=Never)
def test_s35_only_the_origin_itself_makes_its_answers_invalid(subject: Any, colour: str) -> None:
    cache, ours = subject(), echo()
    with Client(colour, cache, ours) as client:
        first = client("r").body

    def elsewhere(request: Request) -> Response:
        return Response(201, {"location": f"{URL}/r", "content-location": f"{URL}/r"})

    with Client(colour, cache, elsewhere, url="https://evil.example") as other:
        other("r", "POST")
    with Client(colour, cache, ours) as client:
        kept = client("r").body
        client("r", "POST")
        changed = client("r").body

    assert kept == first
    assert changed != first


class Readable(Naive):
    """It keeps what it is told in its file, as it is told it."""

    def __init__(self, store: Any) -> None:
        super().__init__()
        self._file = store._path if hasattr(store, "_path") else None
        self._told: list[Request] = []

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        assert self._file is not None
        with Path(str(self._file)).parent.joinpath("log").open("a") as log:
            log.write(repr(request.headers.pairs()) + request.target)
        return await super()._run(request, call, proceed)


@both
@pytest.mark.subjects(ours=Cache, readable=Readable)
def test_s35_nothing_of_credentials_can_be_read_in_the_store(
    subject: Any, colour: str, canary: str, tmp_path: Path
) -> None:
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    store = SqliteStore(folder / "cache.db")
    answer = Response(200, {"cache-control": "max-age=60", "vary": "X-Api-Key, Authorization, Cookie"}, b"found")
    plugins: list[tuple[object, ...]] = [(Bearer(canary),), (Basic("me", canary),), (ApiKey(canary),), ()]
    for used in plugins:
        with Client(colour, subject(store), lambda _: answer, *used) as client:
            client(query={"token": canary})
            client(
                headers={"X-Api-Key": canary, "Cookie": f"sid={canary}"} | ({} if used else {"Authorization": canary})
            )
    store.close()
    written = b"".join(path.read_bytes() for path in folder.iterdir())

    assert written
    assert b"found" in written or subject is not Cache
    assert [shape for shape in shapes(canary) if shape.encode() in written] == []


@pytest.mark.subjects(ours="random", fixed="fixed")
def test_s35_the_same_url_has_another_key_in_another_store(subject: str) -> None:
    stores = [MemoryStore(), MemoryStore()]
    if subject == "fixed":
        for store in stores:
            store.salt = b"0123456789abcdef"
    keys: set[tuple[bytes, bytes]] = set()
    for store in stores:
        with Client("sync", Cache(store), echo(), Bearer("alice")) as client:
            client()
        keys |= set(store._kept)

    assert len(keys) == 2


class Trusting(MemoryStore):
    """Gives back what somebody has put in its place."""

    def get(self, place: bytes, owner: bytes, suits: object = None) -> Any:
        return Found([Stored(200, (("cache-control", "max-age=60"),), b"poison", time(), time())], 0)


def _trusting(path: Path) -> MemoryStore:
    return Trusting()


@both
@pytest.mark.subjects(ours=SqliteStore, trusting=_trusting)
@pytest.mark.parametrize("part", ["head", "body"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "foreign", "giant"])
@pytest.mark.filterwarnings("ignore")
def test_s35_a_poisoned_entry_is_a_miss(subject: Any, colour: str, damage: str, part: str, tmp_path: Path) -> None:
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    for otherwise in (echo(), None):  # the second is not asked: it is kept
        store = SqliteStore(folder / "cache.db")
        with Client(colour, Cache(store), otherwise) as client:
            client()
        store.close()
    _damage(folder / "cache.db", damage, part)

    store = subject(folder / "cache.db")
    with Client(colour, Cache(store), lambda _: Response(200, {}, b"asked")) as client:
        found = client()
    store.close()

    assert found.body == b"asked"


def _damage(path: Path, how: str, part: str) -> None:
    with sqlite3.connect(path) as database:
        [(data,)] = database.execute(f"SELECT {part} FROM entries").fetchall()
        poisoned = {
            "flip": bytes([*data[:-3], data[-3] ^ 4, *data[-2:]]),
            "cut": data[: len(data) // 2],
            "empty": b"",
            "foreign": b"\xff" + data[1:],
            "giant": b"\xdd\xff\xff\xff\xff" + data,
        }[how]
        database.execute(f"UPDATE entries SET {part} = ?", (poisoned,))
    database.close()


@both
@pytest.mark.subjects(ours=Cache, naive=Naive)
def test_s35_two_users_who_are_nobody_share_and_a_session_is_not_given_to_another(subject: Any, colour: str) -> None:
    answers = iter([Response(200, {"set-cookie": "sid=alice"}, b"alice"), Response(200, {}, b"bob")])
    cache = subject()
    with Client(colour, cache, lambda _: next(answers)) as alice:
        alice()
    with Client(colour, cache, lambda _: next(answers)) as bob:
        found = bob()

    assert (found.body, found.headers.get("set-cookie")) == (b"bob", None)
