"""S47: who wants to, has a say over every address that is connected to, and it is that one that is connected to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests.both import Both
from tests.clients import COLOURS, Anything

from jackfield import (
    Call,
    ConfigurationError,
    ConnectError,
    Done,
    JackfieldError,
    JobState,
    Origin,
    Page,
    Pending,
    Request,
    Response,
    Service,
    Url,
    Urllib3Transport,
    UsageError,
    job,
    paged,
)
from jackfield._allow import only_allowed
from jackfield._reference import resolve
from jackfield_plugins.polling import Polling
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.servers import ReceivedRequest, Script, Serve

Allow = Callable[[Origin, IPv4Address | IPv6Address], bool]
COLOUR = pytest.mark.parametrize("colour", COLOURS)


class Blind(Urllib3Transport):
    """Broken on purpose: asks nobody."""

    def __init__(self, *, allow: Allow) -> None:
        super().__init__()


class OnlyTheFirst(Urllib3Transport):
    """Broken on purpose: asks for the first request only, and not for where it leads."""

    def __init__(self, *, allow: Allow) -> None:
        super().__init__()
        self._asks = [allow]

    async def send(self, request: Request, call: Call) -> Response:
        for allow in self._asks:
            if not allow(request.url.origin, IPv4Address("127.0.0.1")):
                raise ConnectError("no")
        self._asks.clear()
        return await super().send(request, call)


class Checking(Urllib3Transport):
    """Broken on purpose: looks the name up and asks, and then connects to whatever it stands for by then."""

    def __init__(self, *, allow: Allow) -> None:
        super().__init__()
        self._ask = allow

    async def send(self, request: Request, call: Call) -> Response:
        origin = request.url.origin
        address = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)[0][4][0]
        if not self._ask(origin, ip_address(address)):
            raise ConnectError("no")
        return await super().send(request, call)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """`names["h.test"] = [["127.0.0.2"], ["127.0.0.1"]]`: what it stands for at each look-up; the last stays."""
    known: dict[str, list[list[str]]] = {}
    real: Any = socket.getaddrinfo

    def look_up(host: str, port: int, *rest: Any, **more: Any) -> Any:
        if host not in known or more.get("flags"):
            return real(host, port, *rest, **more)
        found = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def outside(origin: Origin, address: IPv4Address | IPv6Address) -> bool:
    return not address.is_loopback


def answer(status: int, *headers: str, body: bytes = b"{}") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


def answering(respond: Callable[[ReceivedRequest], bytes]) -> Script:
    def script(peer: Any) -> None:
        for request in peer.requests():
            peer.send(respond(request))

    return script


def given(api: Both, url: str) -> int | None:
    """The status that came, if one did."""
    try:
        status: int = api.get(api.client.ask(Request("GET", Url.parse(url)))).status
    except JackfieldError:
        return None
    return status


def leading_to(url: str) -> list[str]:
    return [f"Location: {url}", f"Next: {url}"]


FINE = answering(lambda request: answer(200))


@pytest.mark.subjects(ours=Urllib3Transport, blind=Blind)
@COLOUR
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "inside.test", "[::ffff:127.0.0.1]"])
def test_s47_what_is_not_allowed_is_not_connected_to(
    subject: Callable[..., Any], host: str, scheme: str, colour: str, serve: Serve, names: dict[str, Any]
) -> None:
    names["inside.test"] = [["127.0.0.1"]]
    server = serve(FINE)
    url = f"{scheme}://{host}:{server.port}"

    options: Any = {"plugins": [Retry(base=0.001)], "connect_timeout": 0.5}
    with Both(colour, Anything, url, subject(allow=outside), **options) as api, pytest.raises(ConnectError) as caught:
        api.get(api.client.ask(Request("GET", Url.parse(url))))

    assert server.connections == 0
    assert caught.value.permanent
    assert caught.value.call is not None
    assert caught.value.call.attempts == 1


class Link(NamedTuple):
    to: str = ""


class ByLink:
    def first(self, service: Any) -> Link:
        return Link()

    def after(self, at: Link, page: Page[Any]) -> Link | None:
        return Link(page.raw) if page.raw else None


async def look(service: Any, job: Pending) -> JobState[int]:
    return Done((await service.ask(Request("GET", Url.parse(job.id)))).status)


class Cloud(Anything, Service):
    @paged(ByLink())
    async def pages(self, at: Link) -> Page[int]:
        request = Request("GET", self.url())
        response = await self.send(resolve(request, at.to).on(request) if at.to else request)
        return Page([1], raw=response.headers.get("next"))

    @job(Polling(look, interval=0.001))
    async def build(self) -> JobState[int]:
        return Pending((await self.send(Request("GET", self.url()))).headers["next"])


WAYS: dict[str, Callable[[Both], Any]] = {
    "a redirect": lambda api: api.get(api.client.ask(Request("GET", api.client.url("r")))),
    "the next page": lambda api: api.all(api.client.pages.all()),
    "a job's state": lambda api: api.get(api.client.build()),
}


@pytest.mark.subjects(ours=Urllib3Transport, blind=Blind, only_the_first=OnlyTheFirst)
@COLOUR
@pytest.mark.parametrize("way", WAYS)
def test_s47_where_a_service_leads_is_asked_for_too(
    subject: Callable[..., Any], way: str, colour: str, serve: Serve
) -> None:
    inside = serve(FINE)
    service = serve(
        answering(lambda request: answer(302 if request.target == "/r" else 200, *leading_to(f"{inside.url}/x")))
    )

    def allow(origin: Origin, address: IPv4Address | IPv6Address) -> bool:
        return origin.port == service.port

    transport = subject(allow=allow)
    with Both(colour, Cloud, service.url, transport) as api, pytest.raises(ConnectError):
        WAYS[way](api)

    assert len(service.requests) == 1
    assert inside.connections == 0


@pytest.mark.subjects(ours=Urllib3Transport, checking=Checking)
@COLOUR
def test_s47_the_address_that_was_allowed_is_the_one_that_is_connected_to(
    subject: Callable[..., Any], colour: str, names: dict[str, Any]
) -> None:
    def allow(origin: Origin, address: IPv4Address | IPv6Address) -> bool:
        return str(address) == "127.0.0.2"

    names["rebinding.test"] = [["127.0.0.2"], ["127.0.0.1"]]

    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.setblocking(False)
        url = f"http://rebinding.test:{inside.getsockname()[1]}"
        transport = subject(allow=allow)
        with Both(colour, Anything, url, transport, read_timeout=0.1) as api, pytest.raises(JackfieldError):
            api.get(api.client.ask(Request("GET", Url.parse(url))))
        with pytest.raises(BlockingIOError):
            inside.accept()[0].close()


@pytest.mark.subjects(ours=Urllib3Transport, blind=Blind)
@COLOUR
def test_s47_of_several_addresses_only_those_allowed_are_tried(
    subject: Callable[..., Any], colour: str, serve: Serve, names: dict[str, Any]
) -> None:
    asked: list[str] = []

    def allow(origin: Origin, address: IPv4Address | IPv6Address) -> bool:
        asked.append(f"{origin} {address}")
        return str(address) == "127.0.0.2"

    names["many.test"] = [["127.0.0.1", "127.0.0.2", "127.0.0.3"]]
    server = serve(FINE, host="127.0.0.2")
    url = f"http://many.test:{server.port}"

    with socket.create_server(("127.0.0.1", server.port)) as inside:
        inside.setblocking(False)
        with Both(colour, Anything, url, subject(allow=allow), read_timeout=1) as api:
            for _ in range(3):
                assert given(api, url) == 200
        with pytest.raises(BlockingIOError):
            inside.accept()[0].close()

    assert asked == [f"{url} 127.0.0.{number}" for number in (1, 2, 3)]  # for each connection, and there was one
    assert server.connections == 1


def test_it_does_not_go_with_a_proxy_which_would_look_names_up_itself() -> None:
    with pytest.raises(ConfigurationError, match="proxy"):
        Urllib3Transport(proxy="http://127.0.0.1:1", allow=outside)


HERE = Url.parse("http://service.test/").origin


def reached(address: str, allow: Any) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return bool(only_allowed([(family, socket.SOCK_STREAM, 6, "", (address, 80))], HERE, allow))
    except ConnectError:
        return False


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::a9fe:a9fe"),
        "2001:0:4136:e378:8000:63bf:5601:5601",  # Teredo; the client is 169.254.169.254, its bits inverted
    ],
)
def test_an_ipv4_address_is_asked_for_in_whatever_clothes_it_comes(address: str) -> None:
    asked: list[str] = []

    def only_others(origin: Origin, address: IPv4Address | IPv6Address) -> bool:
        asked.append(str(address))
        return address != IPv4Address("169.254.169.254")

    assert not reached(address, only_others)
    assert asked[-1] == "169.254.169.254"
    assert reached("2001:db8::1", only_others)


@pytest.mark.parametrize("address", ["::1", "::"])
def test_what_is_no_ipv4_address_is_asked_for_as_it_is(address: str) -> None:
    asked: list[str] = []

    def note(origin: Origin, address: IPv4Address | IPv6Address) -> bool:
        asked.append(str(address))
        return True

    assert reached(address, note)
    assert asked == [address]


def test_a_guard_that_is_no_plain_function_opens_nothing() -> None:
    async def later(origin: Origin, address: IPv4Address | IPv6Address) -> bool:
        return False

    with pytest.warns(RuntimeWarning, match="never awaited"):
        assert not reached("127.0.0.1", later)
    assert not reached("127.0.0.1", "{} at {}".format)


def test_a_guard_that_fails_is_the_callers_error_and_opens_nothing() -> None:
    def broken(origin: Origin, address: IPv4Address | IPv6Address) -> bool:
        raise AttributeError("is_globall")

    with pytest.raises(UsageError, match=r"`allow` failed, so that no connection goes to http://service\.test"):
        reached("127.0.0.1", broken)
