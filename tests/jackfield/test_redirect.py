"""Redirects as a step: what is followed, what the next request is made of, and what is refused, and how."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    Call,
    Client,
    ConfigurationError,
    ConnectError,
    ContractError,
    DeadlineExceededError,
    Headers,
    JackfieldError,
    NotFoundError,
    RedirectError,
    Redirects,
    Request,
    Response,
    Service,
    Stage,
    Step,
    StreamBody,
    Without,
    operation,
)
from jackfield.testing import FakeTransport, VirtualSyncRuntime
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour, Steps
    from tests.servers import Peer, Script, Serve

HERE = "https://api.example.test/v1"  # the service of every client of the fixture `colour`
CODES = [301, 302, 303, 307, 308]


class Core(Service):
    @operation
    async def ask(self, /, method: str = "GET", *, stream: bool = False, **parts: Any) -> Response:
        return await self.send(Request(method, self.url("r"), **parts), stream=stream)


def to(place: str, status: int = 302, **fields: str) -> Response:
    return Response(status, {"location": place, **fields})


def walked(colour: Colour, *answers: Response, plugins: Any = (), **parts: Any) -> list[Request]:
    """What was asked, on the way to a 200."""
    transport = FakeTransport(answers, otherwise=Response(200))
    assert colour.get(colour.client(Core, transport, plugins=plugins).ask(**parts)).status == 200
    return transport.requests


def refusal(colour: Colour, *answers: Response, asked: int = 1, plugins: Any = (), **parts: Any) -> RedirectError:
    """The error, after so many requests."""
    transport = FakeTransport(answers, otherwise=Response(200))
    with pytest.raises(RedirectError) as caught:
        colour.get(colour.client(Core, transport, plugins=plugins).ask(**parts))
    assert len(transport.requests) == asked
    return caught.value


# --- what is followed


@pytest.mark.parametrize("code", CODES)
def test_redirects_are_followed_to_their_end(colour: Colour, code: int) -> None:
    first, second, third = walked(colour, to("a", code), to("/b?x=%2f+1", code))

    assert [str(request.url) for request in (first, second, third)] == [
        f"{HERE}/r",
        f"{HERE}/a",
        "https://api.example.test/b",
    ]
    assert third.target == "/b?x=%2f+1"


@pytest.mark.parametrize("code", [200, 201, 202, 204, 300, 304, 305, 306, 309, 399])
def test_other_answers_with_a_location_are_answers(colour: Colour, code: int) -> None:
    transport = FakeTransport([to("/elsewhere", code)])

    assert colour.get(colour.client(Core, transport).ask()).status == code


def test_an_error_of_the_last_one_is_the_call_s(colour: Colour) -> None:
    transport = FakeTransport([to("/gone")], otherwise=Response(404))

    with pytest.raises(NotFoundError, match="/gone"):
        colour.get(colour.client(Core, transport).ask())


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_tells_which_redirects_led_to_it(colour: Colour, status: int, stream: bool) -> None:
    last = Response(status, body=b"done")
    client = colour.client(Core, FakeTransport([to("/a", 307), to("/b", 303), last, Response(200)]))

    def answer() -> Any:
        try:
            return colour.get(client.ask(stream=stream))
        except NotFoundError as error:
            return error.response

    assert answer().redirects == (307, 303)
    assert answer().redirects == ()


def test_without_the_plugin_the_redirect_is_the_answer(colour: Colour) -> None:
    transport = FakeTransport(otherwise=to("/elsewhere"))
    without = colour.client(Core, transport, plugins=[Without("redirect")])
    with_it = colour.client(Core, transport)

    assert colour.get(without.ask()).headers["location"] == "/elsewhere"
    assert colour.get(with_it.with_options(redirect=None).ask()).status == 302
    assert len(transport.requests) == 2


def test_an_explanation_shows_the_first_request_only(colour: Colour) -> None:
    client = colour.client(Core, FakeTransport())

    assert str(colour.get(client.ask.explain()).request.url) == f"{HERE}/r"


def test_each_hop_has_its_own_attempts_and_all_share_one_deadline(colour: Colour) -> None:
    runtime = colour.runtime()

    async def slow(request: Request) -> Response:
        await runtime.sleep(4)
        return to("/again")

    busy = [Response(503), Response(503), to("/a"), Response(503), Response(503), Response(200)]
    client = colour.client(Core, FakeTransport(busy, otherwise=slow), plugins=[Retry()], runtime=runtime, timeout=100)
    assert colour.get(client.ask()).status == 200

    before = runtime.monotonic()
    with pytest.raises(DeadlineExceededError):
        colour.get(client.with_options(timeout=10).ask())
    assert runtime.monotonic() - before <= 12


# --- what the next request is made of

RULES = [
    *(("POST", code, "GET") for code in (301, 302, 303)),
    *(("POST", code, "POST") for code in (307, 308)),
    *((method, 303, "GET") for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS")),
    *(("HEAD", code, "HEAD") for code in CODES),
    *((method, code, method) for method in ("GET", "PUT", "DELETE", "PATCH") for code in (301, 302, 307, 308)),
]
OF_THE_BODY = ["Content-Type", "content-encoding", "Content-Language", "Content-MD5", "Content-Digest", "Digest"]
OF_THE_METHOD = ["Repr-Digest", "Last-Modified", "Expect", "Trailer", "If-Match", "IF-None-Match", "If-Modified-Since"]
OTHERS = ["Accept", "Authorization", "X-Api-Key", "User-Agent", "Prefer", "Range"]


@pytest.mark.parametrize(("method", "code", "then"), RULES)
def test_the_method_changes_as_the_rfc_says_and_takes_the_body_along(
    colour: Colour, method: str, code: int, then: str
) -> None:
    fields = dict.fromkeys([*OF_THE_BODY, *OF_THE_METHOD, *OTHERS], "x")
    body = b"" if method in ("GET", "HEAD") else b"body"

    last = walked(colour, to("/x", code), method=method, headers=fields, body=body)[-1]

    changed = code == 303 or then != method
    assert (last.method, last.body) == (then, b"" if changed else body)
    assert sorted(last.headers) == sorted(OTHERS if changed else fields)


def test_a_get_that_came_of_a_post_may_be_repeated(colour: Colour) -> None:
    asked = walked(colour, to("/x"), Response(503), method="POST", idempotent=False, plugins=[Retry()])

    assert [request.method for request in asked] == ["POST", "GET", "GET"]


def test_a_body_that_can_be_read_again_is_sent_again(colour: Colour) -> None:
    body = StreamBody(lambda: [b"a", b"b"])

    asked = walked(colour, to("/x", 307), method="POST", body=body)

    assert [b"".join(request.body) for request in asked if isinstance(request.body, StreamBody)] == [b"ab", b"ab"]


def test_a_body_that_can_be_read_once_is_not_sent_again_and_the_error_says_what_to_do(colour: Colour) -> None:
    once: dict[str, Any] = {"method": "POST", "body": StreamBody.once([b"a"])}

    assert "StreamBody" in refusal(colour, to("/x", 308), **once).message
    assert walked(colour, to("/x", 303), **once)[-1].body == b""


@pytest.mark.parametrize(
    "place", ["https://api.example.test:443/x", "HTTPS://API.EXAMPLE.TEST/x", "//api.example.test/x"]
)
def test_the_same_origin_may_be_spelt_otherwise(colour: Colour, place: str) -> None:
    fields = {"X-Api-Key": "k", "Authorization": "Bearer t"}

    last = walked(colour, to(place), headers=fields)[-1]

    assert last.headers == Headers({**fields, "user-agent": "jackfield"})


# --- another origin

KEPT = {"accept": "a/b", "Accept-Language": "en", "accept-encoding": "gzip", "Range": "bytes=5-", "If-Range": '"e"'}
DROPPED = dict.fromkeys((*OTHERS[1:3], "Cookie", "Host", "Referer", "Idempotency-Key", "If-Match", "x"), "canary")


@pytest.mark.parametrize(
    "place", ["https://cdn.example.test/x", "https://api.example.test:8443/x", "//api.example.test.:443/"]
)
def test_another_origin_sees_what_can_be_no_credential_and_so_do_those_behind_it(colour: Colour, place: str) -> None:
    answers = to(place), to("further", 307), to("https://third.example.test/y")

    asked = walked(colour, *answers, headers={**KEPT, **DROPPED, "User-Agent": "mine"})

    for request in asked[1:]:
        assert request.headers == Headers({**KEPT, "user-agent": "mine"})
    assert len(asked) == 4


def test_headers_of_the_client_do_not_go_there_either(colour: Colour) -> None:
    transport = FakeTransport([to("https://cdn.example.test/x")], otherwise=Response(200))

    colour.get(colour.client(Core, transport, headers={"X-Api-Key": "canary"}).ask())

    assert [request.headers.get("x-api-key") for request in transport.requests] == ["canary", None]


def test_a_way_back_to_the_service_is_refused_however_long_it_is(colour: Colour) -> None:
    away = to("https://b.example.test/x"), to("https://c.example.test/x"), to(f"{HERE}/admin?delete=everything")

    error = refusal(colour, *away, asked=3)

    assert "back to the service" in error.message
    assert "everything" not in str(error)
    assert error.chain == (f"{HERE}/r", "https://b.example.test/x", "https://c.example.test/x")


@pytest.mark.parametrize("code", [307, 308])
@pytest.mark.parametrize("body", [b"body", StreamBody(lambda: [b"body"]), StreamBody.once([b"body"])], ids=repr)
def test_a_body_stays_with_its_origin(colour: Colour, code: int, body: Any) -> None:
    error = refusal(colour, to("https://b.example.test/x", code), method="PUT", body=body)

    assert "body" in error.message
    assert "https://b.example.test/x" in error.message


def test_without_a_body_any_method_goes_anywhere(colour: Colour) -> None:
    assert walked(colour, to("https://b.example.test/x", 307), method="DELETE")[-1].method == "DELETE"


@pytest.mark.parametrize("place", ["http://api.example.test/r", "http://b.example.test/", "//b.example.test/"])
def test_https_is_not_left_at_any_hop(colour: Colour, place: str) -> None:
    foreign = place.replace("//b", "http://b") if place.startswith("//") else place

    assert "from https to http" in refusal(colour, to(foreign)).message
    assert "from https to http" in refusal(colour, to("https://b.example.test/"), to(foreign), asked=2).message


def test_from_http_the_way_is_open_to_http_and_to_https() -> None:
    transport = FakeTransport([to("http://b.example.test/x"), to("https://c.example.test/x")], otherwise=Response(200))
    client: Any = type("Api", (Core, Client), {})("http://a.example.test", transport=transport)

    assert client.ask().status == 200
    assert [request.url.origin.host for request in transport.requests] == [f"{x}.example.test" for x in "abc"]


# --- what is refused


@pytest.mark.parametrize(
    "response",
    [
        Response(302),
        Response(308, Headers.received([("location", "/a"), ("Location", "/b")])),
        to("http://"),
        to("ftp://h/"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_the_service_s_fault(colour: Colour, response: Response) -> None:
    error = refusal(colour, response)

    assert isinstance(error, ContractError)
    assert f"({response.status}) from {HERE}/r" in error.message
    assert error.__suppress_context__  # what it was made of says nothing more


def test_one_place_that_is_named_twice_is_one(colour: Colour) -> None:
    same = Response(302, Headers.received([("location", "/a"), ("Location", "/a")]))

    assert walked(colour, same)[-1].url.path == "/a"


@pytest.mark.parametrize("most", [1, 3, 20])
def test_no_more_hops_are_made_than_allowed(colour: Colour, most: int) -> None:
    circle = [to("/r?token=canary")] * (most + 1)

    error = refusal(colour, *circle, asked=most + 1, plugins=[Redirects(max_hops=most)])

    assert len(error.chain) == most + 1
    assert "max_hops" in error.message
    assert "canary" not in f"{error} {error.chain}"
    assert walked(colour, *circle[:most], plugins=[Redirects(max_hops=most)])


def test_twenty_hops_are_the_usual_limit(colour: Colour) -> None:
    assert len(refusal(colour, *[to("/r")] * 21, asked=21).chain) == 21


def test_the_error_can_be_sent_to_another_process(colour: Colour) -> None:
    error = refusal(colour, Response(302))

    again = pickle.loads(pickle.dumps(error))

    assert (str(again), again.chain) == (str(error), error.chain)
    assert again.call.attempts == 1


@pytest.mark.parametrize("most", [0, -1, 1.5, "20", True, None])
def test_a_limit_that_makes_no_sense_is_refused(most: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_hops"):
        Redirects(max_hops=most)


@given(st.text(max_size=60) | st.from_regex(r"(https?:)?(//[a-z.:@\[\]0-9]{0,12})?[/?#%\\a-z]{0,12}", fullmatch=True))
@settings(deadline=None, max_examples=100)
def test_whatever_a_service_says_the_outcome_is_an_answer_or_an_error_of_ours(place: str) -> None:
    moved = Response(302, Headers.received([("location", place)]))
    transport = FakeTransport([moved], otherwise=Response(200))
    client: Any = type("Api", (Core, Client), {})(HERE, transport=transport, runtime=VirtualSyncRuntime())

    try:
        client.ask(headers={"x-api-key": "canary"})
    except JackfieldError:
        return

    last = transport.requests[-1]
    assert last.url.origin == transport.requests[0].url.origin or "x-api-key" not in last.headers
    assert last.url.origin.scheme == "https"


def test_an_error_says_from_where_it_was_redirected(colour: Colour) -> None:
    transport = FakeTransport([to("/there?token=hunter2"), ConnectError("refused")])

    with pytest.raises(ConnectError) as caught:
        colour.get(colour.client(Core, transport).ask())

    assert caught.value.__notes__[0] == f"this is where the service's redirect led, from {HERE}/r"


# --- doubt


@pytest.mark.parametrize(
    ("method", "code", "doubt"),
    [
        ("POST", 303, True),
        ("POST", 302, True),
        ("PATCH", 303, True),
        ("POST", 307, False),
        ("GET", 302, False),
        ("PUT", 303, False),
    ],
)
def test_what_was_done_before_the_redirect_stays_in_doubt(colour: Colour, method: str, code: int, doubt: bool) -> None:
    transport = FakeTransport([to("/made/1", code), ConnectError("refused")])

    with pytest.raises(ConnectError) as caught:
        colour.get(colour.client(Core, transport).ask(method))

    assert caught.value.call is not None
    assert caught.value.call.may_have_been_processed is doubt


# --- the bodies of redirects


class Arriving:
    """A body that arrives in so many pieces of 4 KiB."""

    def __init__(self, pieces: int) -> None:
        self.left, self.closed = pieces, False

    async def read(self) -> bytes:
        self.left -= 1
        return b"x" * 4096 if self.left >= 0 else b""

    async def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("place", ["/x", "ftp://h/"])
def test_the_body_of_a_streamed_redirect_is_read_to_a_bound_and_closed(colour: Colour, place: str) -> None:
    body = Arriving(1000)
    transport = FakeTransport([Response(302, {"location": place}, body)], otherwise=Response(200))

    try:
        colour.get(colour.client(Core, transport).ask(stream=True))
    except RedirectError:
        assert len(transport.requests) == 1

    assert body.closed
    assert body.left >= 990


def test_an_endless_body_is_not_waited_for_and_a_small_one_leaves_its_connection(colour: Colour, serve: Serve) -> None:
    def script(body: bytes) -> Script:
        def run(peer: Peer) -> None:
            for request in peer.requests():
                moved = b"302 Found\r\nLocation: /x\r\nContent-Length: %d" % (10**9 if body else 0)
                line = moved if request.target.endswith("/r") else b"200 OK\r\nContent-Length: 0"
                peer.send(b"HTTP/1.1 " + line + b"\r\n\r\n" + (body if line is moved else b""))

        return run

    small, endless = serve(script(b"")), serve(script(b"x" * 200_000))
    for server, connections in ((small, 1), (endless, 2)):
        kind: Any = type("Api", (Core, colour.base), {})
        client = kind(server.url)

        response = colour.get(_streamed(client, colour))

        assert response == 200
        assert server.connections == connections


def _streamed(client: Any, colour: Colour) -> Any:
    if colour.base is Client:
        with client:
            return client.ask(stream=True).status

    async def run() -> int:
        async with client:
            return int((await client.ask(stream=True)).status)

    return run()


def test_a_step_below_sees_every_hop(colour: Colour, plugin: type[Steps]) -> None:
    seen: list[str] = []

    async def look(request: Request, call: Call, proceed: Callable[[Request, Call], Any]) -> Response:
        seen.append(str(request.url))
        answer: Response = await proceed(request, call)
        return answer

    walked(
        colour, to("/a"), to("https://b.example.test/x"), plugins=[plugin("guard", Step("guard", Stage.LIMIT, look))]
    )

    assert seen == [f"{HERE}/r", "https://api.example.test/a", "https://b.example.test/x"]
