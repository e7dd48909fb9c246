"""How a client is made, and who asks: for all of its calls, or for one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from tests.jackfield_services.flame_hub.hub_clients import BOTH, ID, client, get, listed, node, one

from jackfield import ConfigurationError, DeadlineExceededError, Request, Response, ServiceError, UsageError
from jackfield.testing import FakeTransport, SimulatedRuntime, json_response
from jackfield_plugins.caching import Cache
from jackfield_services import flame_hub
from jackfield_services.flame_hub import AuthClient, CoreClient, HubAuthenticationError, StorageClient, auth
from jackfield_services.flame_hub.emulator import FlameHubEmulator


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        (AuthClient, "https://auth.privateaim.dev"),
        (CoreClient, "https://core.privateaim.dev"),
        (StorageClient, "https://storage.privateaim.dev"),
    ],
)
def test_without_a_url_it_is_the_hub_of_privateaim(kind: Any, url: str) -> None:
    transport = FakeTransport([listed([])])
    of = {AuthClient: "realms", CoreClient: "nodes", StorageClient: "buckets"}[kind]

    getattr(kind(transport=transport), f"find_{of}")()

    assert str(transport.requests[0].url) == f"{url}/{of}"


@pytest.mark.parametrize("base_url", ["https://hub.test/core", "https://hub.test/core/"])
def test_a_url_may_have_a_path(base_url: str) -> None:
    transport = FakeTransport([one(node())])

    CoreClient(base_url, transport=transport).get_node(ID)

    assert transport.requests[0].url.path == f"/core/nodes/{ID}"


@pytest.mark.parametrize("colour", ["", "Async"])
@pytest.mark.parametrize("of", ["Auth", "Core", "Storage"])
@pytest.mark.parametrize(
    ("arguments", "what_to_do"),
    [
        ({"base_url": ""}, "base_url.*environment variable"),
        ({"base_url": 5}, "base_url.*not int"),
        ({"base_url": b"https://hub.test"}, "base_url.*not bytes"),
        ({"base_url": "hub.test"}, "base_url: .*scheme"),
        ({"base_url": "ftp://hub.test"}, "base_url: .*'http' and 'https'"),
        ({"base_url": "https://a:b@hub.test"}, "base_url: .*pass credentials to the client"),
        ({"base_url": "https://hub.test/?a=b"}, "base_url: .*must end with its path"),
        ({"base_url": " https://hub.test"}, "base_url: .*without blanks"),
        ({"auth": 5}, "auth is a PasswordAuth.*not int"),
        ({"auth": b"token"}, "auth is a PasswordAuth.*not bytes"),
        ({"auth": ("admin", "start123")}, "auth is a PasswordAuth.*not tuple"),
        ({"auth": auth.PasswordAuth}, "auth is a PasswordAuth.*not type"),
        ({"auth": ""}, "access_token.*environment variable"),
        ({"auth": "two words"}, "token"),
        ({"client": object()}, r"client= was an httpx client: .*timeout= or transport="),
        ({"generation": "1.0.0"}, "generation is '0.1.1', '1.1.0', or None.*not '1.0.0'"),
        ({"generation": ["0.1.1"]}, "generation is"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": "5"}, "timeout"),
        ({"transport": 5}, "transport"),
        ({"plugins": 5}, "plugins"),
    ],
)
def test_what_makes_no_client_says_what_to_do(colour: str, of: str, arguments: dict[str, Any], what_to_do: str) -> None:
    kind = getattr(flame_hub, f"{colour}{of}Client")

    with pytest.raises(ConfigurationError, match=what_to_do) as caught:
        kind(**arguments)

    assert "start123" not in str(caught.value)
    assert "a:b" not in str(caught.value)


def bearers(transport: FakeTransport) -> list[str | None]:
    return [request.headers.get("authorization") for request in transport.requests]


def answer(request: Request) -> Response:
    """A new Hub that has one of each."""
    if request.url.path.endswith("/token"):
        return json_response({"access_token": "of-another", "expires_in": 3600, "token_type": "Bearer"})
    if request.method == "GET" and request.url.path.count("/") == 1:
        return listed([node(int(dict(request.query).get("page[offset]", 0)))], total=3, limit=1)
    return one(node(), 201 if request.method == "POST" else 200)


class Doing:
    """A call of some client; of a list perhaps its `all` or `pages`."""

    def __init__(self, method: str, *args: Any, walk: str = "", ahead: int = 0, **kwargs: Any) -> None:
        self._method, self._args, self._kwargs = method, args, kwargs
        self._walk, self._ahead = walk, ahead

    def __call__(self, core: Any, **who: Any) -> Any:
        method = getattr(core, self._method)
        method = method.prefetch(self._ahead) if self._ahead else method
        return (getattr(method, self._walk) if self._walk else method)(*self._args, **self._kwargs, **who)


CALLS = {
    "find": Doing("find_nodes"),
    "get_all": Doing("get_nodes"),
    "get": Doing("get_node", ID),
    "get_by_name": Doing("get_node", node_id=ID),
    "create": Doing("create_node", "my-node"),
    "update": Doing("update_node", ID, hidden=True),
    "delete": Doing("delete_node", ID),
    "all": Doing("find_nodes", walk="all", page={"limit": 1}),
    "pages": Doing("find_nodes", walk="pages", page={"limit": 1}),
    "ahead": Doing("find_nodes", walk="all", ahead=2, page={"limit": 1}),
    "command": Doing("send_analysis_command", ID, "buildStart"),
    "sync": Doing("sync_master_images"),
    "delete_logs": Doing("delete_analysis_logs", ID),
    "part": Doing("get_node_client_credentials", ID),
}


@BOTH
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("who", "bearer"), [("other", "Bearer other"), (auth.StaticAuth("third"), "Bearer third"), (None, None)]
)
def test_a_call_may_be_anothers(colour: str, call: str, who: Any, bearer: str | None) -> None:
    transport = FakeTransport(otherwise=answer)
    options: Any = {"runtime": None} if call == "ahead" else {}
    core = client(colour, transport, auth="mine", **options)

    get(CALLS[call](core, auth=who))
    others = bearers(transport)
    get(core.find_nodes())
    get(CALLS[call](core))

    assert set(others) == {bearer}
    assert set(bearers(transport)[len(others) :]) == {"Bearer mine"}


@BOTH
def test_a_call_of_an_anonymous_client_may_be_somebodys(colour: str) -> None:
    transport = FakeTransport(otherwise=answer)
    core = client(colour, transport)

    get(core.find_nodes())
    get(core.find_nodes(auth="other"))
    get(core.find_nodes())

    assert bearers(transport) == [None, "Bearer other", None]


@BOTH
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("who", [5, b"token", ("a", "b"), object(), True, "", auth.PasswordAuth])
def test_whoever_cannot_ask_is_refused_before_anything_is_sent(colour: str, call: str, who: Any) -> None:
    transport = FakeTransport()
    core = client(colour, transport)

    with pytest.raises(ConfigurationError, match=r"auth is|access_token is"):
        get(CALLS[call](core, auth=who))

    assert transport.requests == []


@BOTH
def test_another_login_is_shared_by_the_calls_that_name_it(colour: str) -> None:
    asked: list[str] = []

    def hub(request: Request) -> Response:
        asked.append(f"{request.method} {request.url.path} {request.headers.get('authorization', '-')}")
        if request.url.path == "/token":
            return json_response({"access_token": "of-another", "expires_in": 3600, "token_type": "Bearer"})
        return listed([])

    core = client(colour, FakeTransport(otherwise=hub), auth="mine")
    another = auth.ClientAuth(ID, "s3cret", "https://auth.hub.test")

    get(core.find_nodes(auth=another))
    get(core.get_nodes(auth=another))
    get(core.find_nodes())

    of_another = "GET /nodes Bearer of-another"
    assert asked == ["POST /token -", of_another, of_another, "GET /nodes Bearer mine"]


@BOTH
def test_what_is_kept_of_one_is_not_given_to_another(colour: str) -> None:
    def hub(request: Request) -> Response:
        name = request.headers.get("authorization", "nobody")
        body = listed([node(name=name)]).content
        return Response(200, {"cache-control": "private, max-age=600"}, body)

    transport = FakeTransport(otherwise=hub)
    core = client(colour, transport, auth="mine", cache=Cache())

    found = [get(core.find_nodes(**who))[0].name for who in ({}, {"auth": "other"}, {"auth": None}) for _ in range(2)]

    assert found == ["Bearer mine", "Bearer mine", "Bearer other", "Bearer other", "nobody", "nobody"]
    assert bearers(transport) == ["Bearer mine", "Bearer other", None]


def test_a_page_of_anothers_goes_on_as_anothers() -> None:
    transport = FakeTransport(otherwise=answer)
    nodes = client("sync", transport, auth="mine").find_nodes

    page = nodes(auth="other", page={"limit": 1})
    nodes.at(page.next)(auth="other", page={"limit": 1})

    assert bearers(transport) == ["Bearer other", "Bearer other"]


def test_what_is_shown_of_a_call_shows_no_token() -> None:
    core = client("sync", FakeTransport(), auth="t0ps3cret")

    assert "t0ps3cret" not in repr(core.find_nodes.request(auth="t0ps3cret"))
    assert "t0ps3cret" not in str(core.find_nodes.explain(auth="t0ps3cret"))
    assert core.find_nodes.request(auth="other").headers["authorization"] == "Bearer other"


def test_an_error_shows_page_and_sort_and_nothing_of_the_filter() -> None:
    core = client("sync", FakeTransport([Response(400)]), generation="1.1.0")

    with pytest.raises(ServiceError) as caught:
        core.find_nodes(filter={"email": "a@b.test"}, sort="-name", page={"limit": 7}, fields="email", include=())

    (note,) = caught.value.__notes__
    assert "page%5Blimit%5D=7" in note
    assert "sort=-name" in note
    assert "fields=%2Bemail" in note
    assert "b.test" not in note


# The Hub's generation, where it matters and is not known.


@BOTH
def test_what_a_hub_is_is_asked_for_once(colour: str) -> None:
    transport = FakeTransport(otherwise=answer)
    core = client(colour, transport)
    assert core.generation is None

    for _ in range(3):
        get(core.find_nodes(filter={"realm_id": ID}))

    assert core.generation == "1.1.0"
    assert [len(request.query) for request in transport.requests] == [1, 4, 4, 4]
    assert transport.requests[0].query == (("page[limit]", "1"),)


@BOTH
def test_a_refusal_tells_what_a_hub_is_too(colour: str) -> None:
    refusal = json_response({"statusCode": 401, "code": "UNAUTHORIZED", "message": ""}, 401)
    transport = FakeTransport([refusal, refusal])
    core = client(colour, transport)

    with pytest.raises(HubAuthenticationError):
        get(core.find_nodes(filter={"realm_id": ID}))

    assert core.generation == "0.1.1"
    assert ("filter[realm_id]", ID) in transport.requests[1].query


@BOTH
@pytest.mark.parametrize(
    "foreign", [Response(403, body=b"<html>"), json_response({"error_code": 5}, 403), json_response(["x"], 403)]
)
def test_a_refusal_of_anybody_else_tells_nothing(colour: str, foreign: Response) -> None:
    transport = FakeTransport([foreign])
    core = client(colour, transport)

    with pytest.raises(ServiceError):
        get(core.find_nodes(filter={"realm_id": ID}))

    assert core.generation is None


@BOTH
def test_an_answer_that_tells_nothing_is_taken_for_a_new_hubs(colour: str) -> None:
    silent = listed([{"name": "x"}]).replace(body=b'{"data": [{"name": "x"}]}')
    transport = FakeTransport([silent, silent])
    core = client(colour, transport)

    assert get(core.find_nodes(filter={"realm_id": ID}))[0].name == "x"

    assert core.generation is None
    assert ("filter[realmId]", ID) in transport.requests[1].query


def test_many_ask_once_what_a_hub_is_and_none_of_them_waits_longer_than_it_may() -> None:
    runtime = SimulatedRuntime()

    async def slow(request: Request) -> Response:
        await runtime.sleep(10)
        return answer(request)

    transport = FakeTransport(otherwise=slow)
    core = flame_hub.AsyncCoreClient(transport=transport, runtime=runtime)
    hasty = core.with_options(timeout=3)

    async def ask(asking: Any) -> float:
        await runtime.sleep(1)
        with suppress(DeadlineExceededError):
            await asking.find_nodes(filter={"realm_id": ID})
        return runtime.monotonic()

    async def main() -> list[float]:
        first = runtime.spawn(core.find_nodes(filter={"realm_id": ID}))
        ends = await runtime.gather(*map(ask, [core, core, hasty]))
        await first
        return [end - started for end in ends]

    started = runtime.monotonic()

    assert runtime.run(main()) == [20, 20, 4]
    assert [len(request.query) for request in transport.requests] == [1, 4, 4, 4]


def test_a_dry_run_asks_nothing() -> None:
    core = client("sync", FakeTransport())

    assert ("filter[realmId]", ID) in core.find_nodes.request(filter={"realm_id": ID}).query


def test_a_closed_client_says_so() -> None:
    core = client("sync", FakeTransport())
    core.close()

    for asked in ({}, {"auth": "other"}, {"filter": {"realm_id": ID}}):
        with pytest.raises(UsageError, match="closed"):
            core.find_nodes(**asked)


def test_a_hub_tells_who_asks(hub: FlameHubEmulator) -> None:
    who = auth.PasswordAuth(hub.username, hub.password, hub.auth_url)
    client_ = auth.ClientAuth(hub.client_id, hub.client_secret, hub.auth_url)
    with AuthClient(hub.auth_url) as realms, CoreClient(hub.core_url, who) as core:
        assert [realm.name for realm in realms.find_realms()] == ["master"]
        realm = realms.create_realm("my-realm", auth=who)
        assert realms.find_realms(auth=client_)[1] == realm
        assert core.find_nodes(auth=client_) == []
        with pytest.raises(HubAuthenticationError):
            core.find_nodes(auth=None)
        assert core.find_nodes() == []
