"""SigV4 as a plugin: what is sent is what was signed, afresh each time, by the service's clock, for nobody else."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from datetime import UTC, datetime
from email.utils import formatdate
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import Make, both, get, makers

from jackfield import (
    AsyncClient,
    BadRequestError,
    Client,
    ConfigurationError,
    ForbiddenError,
    Headers,
    JackfieldError,
    Request,
    Response,
    Secret,
    Service,
    StreamBody,
    Url,
    UsageError,
    operation,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import AwsCredentials, SigV4

if TYPE_CHECKING:
    from tests.servers import Peer, ReceivedRequest, Serve

KEY_ID = "AKIDEXAMPLE"
KEY = "canary-wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "canary-AQoDYXdzEPT//////////wEXAMPLE+=="
START = 1_700_000_000.0  # what virtual clocks say at first
EMPTY = hashlib.sha256(b"").hexdigest()
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


class Core(Service):
    @operation
    async def send_it(self, request: Request) -> bytes:
        return (await self.send(request)).content

    @operation
    async def stream_it(self, request: Request) -> int:
        return (await self.send(request, stream=True)).status


class CoreClient(Core, Client): ...


class AsyncCoreClient(Core, AsyncClient): ...


sync_client, async_client = makers(Core, base="https://h:8443")
BOTH = both(sync_client, async_client)


def signing(service: str = "execute-api", *, token: str | None = None, **options: bool) -> SigV4:
    return SigV4(AwsCredentials(KEY_ID, KEY, token), "us-east-1", service, **options)


def request(path: str = "/thing", **parts: Any) -> Request:
    return Request(parts.pop("method", "GET"), Url.parse(f"https://h:8443{path}"), **parts)


def sent(make: Make, plugin: SigV4, one: Request) -> Request:
    """What goes out for it."""
    transport = FakeTransport(otherwise=Response(200))
    get(make(transport, plugin).send_it(one))
    return transport.requests[0]


# --- a service's view: knows the secret, and what came over the wire


class Arrived(NamedTuple):
    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def of(cls, one: Request) -> Arrived:
        assert isinstance(one.body, bytes)
        host = str(one.url.origin).partition("://")[2]
        pairs = tuple((name.lower(), value) for name, value in one.headers.pairs())
        return cls(one.method, one.target, (*pairs, *(() if "host" in one.headers else (("host", host),))), one.body)

    @classmethod
    def on_the_wire(cls, one: ReceivedRequest) -> Arrived:
        return cls(one.line.split(" ")[0], one.target, tuple(one.headers), one.body)

    def get_all(self, name: str) -> list[str]:
        return [value for found, value in self.fields if found == name]


_authorization = re.compile(
    r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/(?P<scope>\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request), "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


def verified(one: Arrived, key: str = KEY) -> bool:
    """Whether a service would accept it, but for its age."""
    found = _authorization.fullmatch(",".join(one.get_all("authorization")))
    if found is None or "host" not in found["names"].split(";") or not one.target.startswith("/"):
        return False
    path, _, query = one.target.partition("?")
    if found["service"] != "s3":
        while (shorter := re.sub(r"/(?:\.?(?=/)|\.$)|/(?!\.\.)[^/]+/\.\.(?=/|$)|^/\.\.(?=/|$)", "", path)) != path:
            path = shorter
        path = quote(path or "/", safe="/")
    digest = hashlib.sha256(one.body).hexdigest()
    claimed = one.get_all("x-amz-content-sha256") or [digest]
    if claimed not in ([digest], ["UNSIGNED-PAYLOAD"]):
        return False
    lines = [one.method, path, "&".join(sorted(query.split("&"), key=lambda piece: piece.split("=")))]
    lines += [
        f"{name}:{','.join(re.sub(' +', ' ', v) for v in one.get_all(name))}" for name in found["names"].split(";")
    ]
    lines += ["", found["names"], *claimed]
    (date,) = one.get_all("x-amz-date")
    text = "\n".join(
        ["AWS4-HMAC-SHA256", date, found["scope"], hashlib.sha256("\n".join(lines).encode("latin-1")).hexdigest()]
    )
    mac = f"AWS4{key}".encode()
    for part in (date[:8], found["region"], found["service"], "aws4_request", text):
        mac = hmac.new(mac, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(mac.hex(), found["signature"])


# --- what is signed


@BOTH
def test_a_request_is_signed_and_nothing_else_of_it_changes(make: Make) -> None:
    one = request(method="POST", query=[("b", "2"), ("a", "ü /")], headers={"X-Amz-Meta": "m"}, body=b"body")

    signed = sent(make, signing(), one)

    assert verified(Arrived.of(signed))
    assert (signed.method, signed.url, signed.query, signed.body) == ("POST", one.url, one.query, b"body")
    assert signed.headers["x-amz-date"] == "20231114T221320Z"
    assert signed.headers["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20231114/us-east-1/execute-api/aws4_request, SignedHeaders="
    )
    assert {"host", "x-amz-date", "x-amz-meta"} <= set(_names(signed))
    assert "user-agent" in signed.headers
    assert "user-agent" not in _names(signed)
    assert "x-amz-content-sha256" not in signed.headers


def _names(one: Request) -> list[str]:
    found = _authorization.fullmatch(one.headers["authorization"])
    assert found is not None
    return found["names"].split(";")


@BOTH
def test_a_session_token_is_sent_and_signed(make: Make) -> None:
    signed = sent(make, signing(token=TOKEN), request(headers={"x-amz-security-token": "old"}))

    assert signed.headers.get_all("x-amz-security-token") == [TOKEN]
    assert "x-amz-security-token" in _names(signed)
    assert verified(Arrived.of(signed))


@BOTH
def test_a_session_token_may_be_sent_without_being_signed(make: Make) -> None:
    signed = sent(make, signing(token=TOKEN, signed_token=False), request())

    assert signed.headers["x-amz-security-token"] == TOKEN
    assert "x-amz-security-token" not in _names(signed)
    assert signed.headers["authorization"] == sent(make, signing(), request()).headers["authorization"]


@BOTH
def test_without_a_session_token_none_is_sent(make: Make) -> None:
    assert "x-amz-security-token" not in sent(make, signing(), request(headers={"x-amz-security-token": "old"})).headers


@BOTH
@pytest.mark.parametrize("service", ["s3", "s3express", "s3-outposts", "s3-object-lambda"])
def test_s3_is_told_the_digest_of_the_body(make: Make, service: str) -> None:
    signed = sent(make, signing(service), request(method="PUT", body=b"body"))

    assert signed.headers["x-amz-content-sha256"] == hashlib.sha256(b"body").hexdigest()
    assert "x-amz-content-sha256" in _names(signed)


@BOTH
def test_another_service_is_told_the_digest_if_that_is_wished_or_a_header_tells_one(make: Make) -> None:
    wished = sent(make, signing(content_sha256=True), request())
    told = sent(make, signing(), request(headers={"x-amz-content-sha256": "old"}))

    assert wished.headers.get_all("x-amz-content-sha256") == told.headers.get_all("x-amz-content-sha256") == [EMPTY]
    assert verified(Arrived.of(wished))
    assert verified(Arrived.of(told))


@BOTH
def test_s3_is_sent_the_path_in_its_own_encoding_which_is_what_is_signed(make: Make) -> None:
    signed = sent(make, signing("s3"), request("/a//./b%20c@d+(1)%2Fe"))

    assert signed.url.path == "/a//./b%20c%40d%2B%281%29%2Fe"
    assert verified(Arrived.of(signed))


@BOTH
def test_other_services_are_sent_the_path_as_it_is(make: Make) -> None:
    signed = sent(make, signing(), request("/a//./b%20c@d/../e"))

    assert signed.url.path == "/a//./b%20c@d/../e"
    assert verified(Arrived.of(signed))


@BOTH
@pytest.mark.parametrize("service", ["execute-api", "s3"])
def test_a_stream_that_opens_again_is_digested_and_sent(make: Make, service: str) -> None:
    body = StreamBody(lambda: [b"bo", b"dy"])

    streamed = sent(make, signing(service), request(method="PUT", body=body))

    whole = sent(make, signing(service), request(method="PUT", body=b"body"))
    assert streamed.headers["authorization"] == whole.headers["authorization"]
    assert streamed.body is body


@BOTH
def test_a_stream_that_is_read_once_is_refused_with_the_way_out(make: Make) -> None:
    transport = FakeTransport()

    with pytest.raises(UsageError, match=r"unsigned_payload=True"):
        get(make(transport, signing("s3")).send_it(request(method="PUT", body=StreamBody.once([b"x"]))))

    assert transport.requests == []


@BOTH
@pytest.mark.parametrize("service", ["execute-api", "s3"])
def test_an_unsigned_payload_leaves_the_body_out(make: Make, service: str) -> None:
    pieces = StreamBody.once([b"x"])
    signed = sent(make, signing(service, unsigned_payload=True), request(method="PUT", body=pieces))

    assert signed.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert list(pieces) == [b"x"]
    assert verified(Arrived.of(signed.replace(body=b"anything")))


@BOTH
def test_an_unsigned_payload_is_refused_over_http(make: Make) -> None:
    transport = FakeTransport()
    client = make(transport, signing("s3", unsigned_payload=True), base="http://h")

    with pytest.raises(UsageError, match="https only"):
        get(client.send_it(Request("PUT", Url.parse("http://h/x"))))

    assert transport.requests == []


@BOTH
def test_a_request_to_another_origin_is_not_signed(make: Make) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = make(transport, signing(token=TOKEN))

    for other in ("https://h/thing", "http://h:8443/thing", "https://h.evil.test:8443/", "https://sub.h:8443/"):
        get(client.send_it(Request("GET", Url.parse(other))))
    get(client.send_it(Request("GET", Url.parse("https://H:8443/elsewhere"))))

    assert ["authorization" in one.headers for one in transport.requests] == [False] * 4 + [True]
    assert not any("x-amz" in name.lower() for one in transport.requests[:4] for name in one.headers)


@BOTH
def test_each_attempt_has_a_date_and_a_signature_of_its_own(make: Make) -> None:
    transport = FakeTransport([Response(503), Response(503), Response(200)])
    client = make(transport, signing(token=TOKEN), Retry(base=20, cap=20))

    get(client.send_it(request(method="PUT", headers={"Authorization": "Basic old"}, body=b"body")))

    assert len({one.headers["x-amz-date"] for one in transport.requests}) == 3
    assert len({one.headers["authorization"] for one in transport.requests}) == 3
    for one in transport.requests:
        assert verified(Arrived.of(one))
        assert one.body == b"body"
        assert len(one.headers.get_all("authorization")) == len(one.headers.get_all("x-amz-date")) == 1


@BOTH
def test_a_host_header_is_signed_as_it_is_sent(make: Make) -> None:
    signed = sent(make, signing(), request(headers={"Host": "other.test"}))

    assert verified(Arrived.of(signed))
    assert Arrived.of(signed).get_all("host") == ["other.test"]


@BOTH
def test_a_request_to_look_at_is_signed_as_the_one_that_is_sent(make: Make) -> None:
    transport = FakeTransport([Response(200)])
    client = make(transport, signing())

    shown = get(client.send_it.request(request()))
    get(client.send_it(request()))

    assert transport.requests == [shown]


# --- the service's clock


def refusal(ahead: float, status: int = 403) -> Response:
    return Response(status, {"Date": formatdate(START + ahead, usegmt=True)})


@BOTH
@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("ahead", [241, -241, 86_400, -86_400, 10 * 365 * 86_400, 300_000_000])
def test_a_refusal_with_another_time_is_answered_once_with_that_time(make: Make, status: int, ahead: float) -> None:
    transport = FakeTransport([refusal(ahead, status), Response(200, body=b"done")])

    answer = get(make(transport, signing()).send_it(request(method="POST", body=b"body")))

    assert answer == b"done"
    first, second = transport.requests
    assert first.headers["x-amz-date"] == "20231114T221320Z"
    assert second.headers["x-amz-date"] == moment(START + ahead)
    assert second.body == b"body"
    assert verified(Arrived.of(second))


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


@BOTH
@pytest.mark.parametrize("ahead", [0, 240, -240, 100])
def test_a_refusal_with_nearly_our_time_is_final(make: Make, ahead: float) -> None:
    transport = FakeTransport([refusal(ahead)])

    with pytest.raises(ForbiddenError):
        get(make(transport, signing()).send_it(request()))

    assert len(transport.requests) == 1


@BOTH
def test_it_is_answered_once_and_no_more(make: Make) -> None:
    transport = FakeTransport([refusal(1000), refusal(5000)])

    with pytest.raises(ForbiddenError):
        get(make(transport, signing()).send_it(request()))

    assert len(transport.requests) == 2


@BOTH
def test_the_time_is_remembered_for_later_requests_and_moves_on(make: Make) -> None:
    transport = FakeTransport([refusal(1000), Response(200), Response(200)])
    client = make(transport, signing())

    get(client.send_it(request()))
    client.runtime.elapsed += 60
    get(client.send_it(request()))

    assert transport.requests[2].headers["x-amz-date"] == moment(START + 1060)


@BOTH
def test_what_was_learnt_may_be_corrected_again(make: Make) -> None:
    transport = FakeTransport([refusal(1000), Response(200), refusal(0), Response(200)])
    client = make(transport, signing())

    get(client.send_it(request()))
    get(client.send_it(request()))

    dates = [one.headers["x-amz-date"] for one in transport.requests]
    assert dates == [moment(START + ahead) for ahead in (0, 1000, 1000, 0)]


@BOTH
@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_time_that_did_not_help_is_not_remembered(make: Make, status: int) -> None:
    transport = FakeTransport(
        [refusal(-9e8), refusal(-9e8, status), refusal(1000), Response(200)], otherwise=Response(200)
    )
    client = make(transport, signing())

    with pytest.raises(JackfieldError):
        get(client.send_it(request()))
    for _ in range(2):
        get(client.send_it(request()))

    dates = [one.headers["x-amz-date"] for one in transport.requests]
    assert dates == [moment(START + ahead) for ahead in (0, -9e8, 0, 1000, 1000)]


@BOTH
def test_a_time_that_did_not_help_leaves_what_was_learnt_before(make: Make) -> None:
    transport = FakeTransport([refusal(1000), Response(200), refusal(-9e8), refusal(-9e8)], otherwise=Response(200))
    client = make(transport, signing())

    get(client.send_it(request()))
    with pytest.raises(ForbiddenError):
        get(client.send_it(request()))
    get(client.send_it(request()))

    assert transport.requests[-1].headers["x-amz-date"] == moment(START + 1000)


@BOTH
def test_a_time_that_did_help_is_remembered_though_the_answer_is_an_error(make: Make) -> None:
    transport = FakeTransport([refusal(1000), Response(404)], otherwise=Response(200))
    client = make(transport, signing())

    with pytest.raises(JackfieldError):
        get(client.send_it(request()))
    get(client.send_it(request()))

    assert transport.requests[-1].headers["x-amz-date"] == moment(START + 1000)


@BOTH
def test_a_refusal_that_agrees_with_what_was_learnt_is_final(make: Make) -> None:
    transport = FakeTransport([refusal(1000), Response(200), refusal(1000)])
    client = make(transport, signing())

    get(client.send_it(request()))
    with pytest.raises(ForbiddenError):
        get(client.send_it(request()))

    assert len(transport.requests) == 3


def test_a_request_signed_before_another_learnt_the_time_is_answered_too() -> None:
    def meanwhile(_: Request) -> Response:
        other.send_it(request())
        return refusal(1000)

    plugin = signing()
    other = sync_client(FakeTransport([refusal(1000), Response(200)]), plugin)
    client = sync_client(FakeTransport([meanwhile, Response(200, body=b"done")]), plugin)

    assert client.send_it(request()) == b"done"


@BOTH
def test_each_origin_has_a_clock_of_its_own(make: Make) -> None:
    plugin = signing()
    one, other = FakeTransport([refusal(1000), Response(200)]), FakeTransport([Response(200)])

    get(make(one, plugin).send_it(request()))
    get(make(other, plugin, base="https://other").send_it(Request("GET", Url.parse("https://other/"))))

    assert other.requests[0].headers["x-amz-date"] == moment(START)


@BOTH
@pytest.mark.parametrize("status", [200, 404, 429, 500, 503])
def test_other_answers_teach_nothing(make: Make, status: int) -> None:
    transport = FakeTransport([refusal(1000, status), Response(200)])
    client = make(transport, signing())

    for _ in range(2):
        try:
            get(client.send_it(request()))
        except JackfieldError:
            pass

    assert [one.headers["x-amz-date"] for one in transport.requests] == [moment(START)] * 2


@BOTH
@pytest.mark.parametrize(
    "date",
    [
        *("", "now", "-1", "0", "9" * 30_000, "Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 0001 00:00:00 GMT"),
        *("Thu, 01 Jan 1969 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT", "Wed, 31 Feb 2024 00:00:00 GMT"),
        *("Tue, 14 Nov 2024 22:13:20 +0000", "Tue, 14 Nov 99999999999 22:13:20 GMT", "1e308", "nan", "٣"),
        *("2024-11-14T22:13:20Z", "Tue, 14 Nov 2024 25:13:20 GMT", "\x00", "Tue, 14 Nov 2024 22:13:20 GMT" * 2),
    ],
)
def test_a_date_that_is_none_teaches_nothing(make: Make, date: str) -> None:
    transport = FakeTransport([Response(403, Headers.received([("Date", date)])), Response(200)])
    client = make(transport, signing())

    with pytest.raises(ForbiddenError):
        get(client.send_it(request()))
    get(client.send_it(request()))

    assert [one.headers["x-amz-date"] for one in transport.requests] == [moment(START)] * 2


@BOTH
def test_two_dates_teach_nothing(make: Make) -> None:
    date = formatdate(START + 1000, usegmt=True)
    transport = FakeTransport([Response(403, [("Date", date), ("Date", date)])])

    with pytest.raises(ForbiddenError):
        get(make(transport, signing()).send_it(request()))


@BOTH
def test_a_body_that_was_read_is_not_sent_again_but_the_time_is_learnt(make: Make) -> None:
    transport = FakeTransport([refusal(1000), Response(200)])
    client = make(transport, signing("s3", unsigned_payload=True))

    with pytest.raises(ForbiddenError):
        get(client.send_it(request(method="PUT", body=StreamBody.once([b"x"]))))
    get(client.send_it(request(method="PUT", body=StreamBody.once([b"x"]))))

    assert [one.headers["x-amz-date"] for one in transport.requests] == [moment(START), moment(START + 1000)]


@BOTH
def test_a_stream_that_opens_again_is_sent_again(make: Make) -> None:
    transport = FakeTransport([refusal(1000), Response(200, body=b"done")])

    answer = get(make(transport, signing()).send_it(request(method="PUT", body=StreamBody(lambda: [b"x"]))))

    assert answer == b"done"


class Unread:
    """A body that is still arriving."""

    def __init__(self) -> None:
        self.closed = 0

    async def read(self) -> bytes:
        return b""

    async def close(self) -> None:
        self.closed += 1


@BOTH
def test_a_streamed_answer_that_is_thrown_away_is_closed(make: Make) -> None:
    dropped, kept = Unread(), Unread()
    transport = FakeTransport([Response(403, refusal(1000).headers, dropped), Response(200, body=kept)])

    assert get(make(transport, signing()).stream_it(request())) == 200

    assert (dropped.closed, kept.closed) == (1, 0)


# --- presigned URLs


def presigned(plugin: SigV4, one: Request, seconds: int = 60, now: float = START) -> str:
    return plugin.presign(one, seconds, now)


def parameters(url: str) -> dict[str, str]:
    pairs = (piece.split("=") for piece in url.partition("?")[2].split("&"))
    return {unquote(name): unquote(value) for name, value in pairs}


def test_a_presigned_url_has_all_that_the_service_needs() -> None:
    url = presigned(signing("s3", token=TOKEN), request("/b/k@1", query=[("versionId", "é")]), 604_800)

    assert url.startswith("https://h:8443/b/k%401?versionId=%C3%A9&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=")
    assert parameters(url) | {"X-Amz-Signature": ""} == {
        "versionId": "é",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "AKIDEXAMPLE/20231114/us-east-1/s3/aws4_request",
        "X-Amz-Date": "20231114T221320Z",
        "X-Amz-Expires": "604800",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Security-Token": TOKEN,
        "X-Amz-Signature": "",
    }


def test_presigning_is_pure() -> None:
    assert presigned(signing(), request()) == presigned(signing(), request())
    assert presigned(signing(), request()) != presigned(signing(), request(), now=START + 1)
    assert presigned(signing(), request()) != presigned(signing(), request(), 61)


def test_the_body_is_signed_but_for_s3() -> None:
    one, other = request(body=b"1"), request(body=b"2")

    assert presigned(signing("s3"), one) == presigned(signing("s3"), other)
    assert presigned(signing(unsigned_payload=True), one) == presigned(signing(unsigned_payload=True), other)
    assert presigned(signing(), one) != presigned(signing(), other)
    assert presigned(signing("s3"), request(body=StreamBody.once([b"x"]))) == presigned(signing("s3"), one)


def test_a_body_to_sign_is_bytes() -> None:
    with pytest.raises(UsageError, match="give bytes"):
        presigned(signing(), request(body=StreamBody(lambda: [b"x"])))


def test_headers_are_signed_and_named_but_no_authorization() -> None:
    one = request(headers={"Content-Type": "text/plain", "Authorization": "Basic x", "User-Agent": "u"})

    assert parameters(presigned(signing(), one))["X-Amz-SignedHeaders"] == "content-type;host"
    assert presigned(signing(), one) != presigned(signing(), one.replace(headers={"Content-Type": "text/html"}))


def test_a_token_that_is_not_signed_is_in_the_url_all_the_same() -> None:
    url = presigned(signing(token=TOKEN, signed_token=False), request())

    assert parameters(url)["X-Amz-Security-Token"] == TOKEN
    assert parameters(url)["X-Amz-Signature"] == parameters(presigned(signing(), request()))["X-Amz-Signature"]
    assert (
        parameters(presigned(signing(token=TOKEN), request()))["X-Amz-Signature"] != parameters(url)["X-Amz-Signature"]
    )


def test_what_was_presigned_is_presigned_anew() -> None:
    url = presigned(signing(token=TOKEN), request(query=[("a", "1")]), now=START - 5000)

    again = presigned(signing(token=TOKEN), request(query=parameters(url)))

    assert again == presigned(signing(token=TOKEN), request(query=[("a", "1")]))


@pytest.mark.parametrize("seconds", [0, -1, 604_801, 1.5, True, "60", None])
def test_a_duration_out_of_range_is_refused(seconds: Any) -> None:
    with pytest.raises(UsageError, match="604800"):
        presigned(signing(), request(), seconds)


@pytest.mark.parametrize("now", [-1, float("nan"), float("inf"), 1e12])
def test_a_time_out_of_range_is_refused(now: float) -> None:
    with pytest.raises(UsageError, match="since 1970"):
        presigned(signing(), request(), now=now)


# --- signed bytes are sent bytes

FIELDS = st.lists(
    st.tuples(
        st.sampled_from(["x-amz-meta-a", "X-Amz-Meta-B", "X-Custom", "Accept", "Content-Type"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"]), max_size=8).map(
            lambda text: text.strip(" \xa0\xad")
        ),
    ),
    max_size=4,
)


@st.composite
def random_requests(draw: st.DrawFn) -> Request:
    segments = draw(st.lists(TEXT.filter(lambda text: text not in ("", ".", "..")), max_size=3))
    return Request(
        draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"])),
        Url.parse("https://h:8443").at(*segments),
        query=draw(st.lists(st.tuples(TEXT, TEXT), max_size=4)),
        headers=draw(FIELDS),
        body=draw(st.binary(max_size=30)),
    )


@given(one=random_requests(), service=st.sampled_from(["s3", "execute-api"]), seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=100)
def test_what_was_signed_verifies_and_with_any_flipped_bit_does_not(one: Request, service: str, seed: int) -> None:
    arrived, chance = Arrived.of(sent(sync_client, signing(service, content_sha256=True), one)), Random(seed)

    assert verified(arrived)
    assert not verified(arrived, KEY[:-1] + "Z")
    for _ in range(10):
        assert not verified(flipped(arrived, chance))


def flipped(one: Arrived, chance: Random) -> Arrived:
    """With one bit of what counts turned over."""
    found = _authorization.fullmatch(one.get_all("authorization")[0])
    assert found is not None
    signed = [place for place, (name, _) in enumerate(one.fields) if name in found["names"].split(";")]
    part = chance.choice(["method", "target", "field", "body" if one.body else "method", "signature"])
    if part == "body":
        return one._replace(body=turned(one.body, chance))
    if part == "method":
        return one._replace(method=turned(one.method.encode(), chance).decode("latin-1"))
    if part == "target":
        return one._replace(target=turned(one.target.encode(), chance).decode("latin-1"))
    place = next(i for i, field in enumerate(one.fields) if field[0] == "authorization")
    if part == "field":
        place = chance.choice([place for place in signed if one.fields[place][1]])
    name, value = one.fields[place]
    fields = list(one.fields)
    head, tail = (value[:-64], value[-64:]) if part == "signature" else ("", value)
    fields[place] = (name, head + turned(tail.encode("latin-1"), chance).decode("latin-1"))
    return one._replace(fields=tuple(fields))


def turned(octets: bytes, chance: Random) -> bytes:
    place = chance.randrange(len(octets))
    return octets[:place] + bytes([octets[place] ^ 1 << chance.randrange(8)]) + octets[place + 1 :]


def accepting(peer: Peer) -> None:
    for _ in peer.requests():
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("colour", [CoreClient, AsyncCoreClient])
@pytest.mark.parametrize("service", ["execute-api", "s3"])
def test_a_service_finds_the_signature_in_the_bytes_that_arrive(colour: Any, service: str, serve: Serve) -> None:
    server, chance, plugin = serve(accepting), Random(7), signing(service, token=TOKEN)
    letters = "aZ09-._~ /?#[]@!$&'()*+,;=:%é日\U0001f600\"<>\\^`{|}"

    def text(least: int = 0) -> str:
        return "".join(chance.choices(letters, k=chance.randint(least, 6))) + "x" * least

    def one(base: Url) -> Request:
        return Request(
            chance.choice(["GET", "POST", "PUT", "DELETE", "PATCH"]),
            base.at(*(text(1) for _ in range(chance.randint(0, 3)))),
            query=[(text(), text()) for _ in range(chance.randint(0, 4))],
            headers=[("X-Amz-Meta", f"m {n}") for n in range(chance.randint(0, 3))],
            body=chance.randbytes(chance.choice([0, 1, 1000])),
        )

    async def in_async() -> None:
        async with colour(server.url, plugins=[plugin]) as client:
            for _ in range(125):
                await client.send_it(one(client.url()))

    if colour is AsyncCoreClient:
        asyncio.run(in_async())
    else:
        with colour(server.url, plugins=[plugin]) as client:
            for _ in range(125):
                client.send_it(one(client.url()))

    arrived = [Arrived.on_the_wire(received) for received in server.requests]
    assert len(arrived) == 125
    assert all(map(verified, arrived))
    assert not any(verified(flipped(each, chance)) for each in arrived)


# --- what is refused, and what is never shown


@pytest.mark.parametrize("access_key", ["", "a/b", "a,b", "a b", "ä", "a\n", None, 7])
def test_an_access_key_that_cannot_be_sent_is_refused(access_key: Any) -> None:
    with pytest.raises(ConfigurationError, match="access_key"):
        AwsCredentials(access_key, KEY)


@pytest.mark.parametrize("secret", ["canary\n", " canary", "can ary", "canaryé", "canary\ud800"])
def test_a_secret_with_a_blank_in_it_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="secret_key") as first:
        AwsCredentials(KEY_ID, secret)
    with pytest.raises(ConfigurationError, match="session_token") as second:
        AwsCredentials(KEY_ID, KEY, secret)

    assert "can" not in str(first.value) + str(second.value)


@pytest.mark.parametrize("secret", ["", None, b"x"])
def test_a_secret_that_is_none_is_refused(secret: Any) -> None:
    with pytest.raises(UsageError):
        AwsCredentials(KEY_ID, secret)


@pytest.mark.parametrize("name", ["", "us east", "a/b", "é", None, "a\n"])
def test_a_region_or_service_that_is_no_name_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="region"):
        SigV4(AwsCredentials(KEY_ID, KEY), name, "s3")
    with pytest.raises(ConfigurationError, match="service"):
        SigV4(AwsCredentials(KEY_ID, KEY), "us-east-1", name)


@pytest.mark.parametrize("service", ["S3", "s3Express", "S3-OUTPOSTS"])
def test_a_name_of_s3_in_capitals_is_refused_as_its_rules_would_be_lost(service: str) -> None:
    with pytest.raises(ConfigurationError, match="the service is written in lower case: 's3'"):
        SigV4(AwsCredentials(KEY_ID, KEY), "us-east-1", service)

    SigV4(AwsCredentials(KEY_ID, KEY), "us-east-1", "IoTSecuredTunneling")  # which AWS itself writes like this


def test_a_name_that_is_none_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        SigV4(AwsCredentials(KEY_ID, KEY), f"{KEY}\n", "s3")

    assert KEY not in str(caught.value)


def test_credentials_are_a_value_of_their_own() -> None:
    with pytest.raises(ConfigurationError, match="AwsCredentials"):
        SigV4((KEY_ID, KEY), "us-east-1", "s3")  # type: ignore[arg-type]  # that is the point  # pyright: ignore[reportArgumentType]  # likewise

    assert AwsCredentials(KEY_ID, KEY) == AwsCredentials(KEY_ID, Secret(KEY), None)
    assert AwsCredentials(KEY_ID, KEY) != AwsCredentials(KEY_ID, KEY, TOKEN)


@BOTH
def test_the_secrets_are_shown_nowhere(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    transport = FakeTransport([refusal(1000), Response(400)])
    plugin = signing("s3", token=TOKEN)
    client = make(transport, plugin)

    with pytest.raises(BadRequestError) as caught:
        get(client.send_it(request()))

    explained = get(client.send_it.explain(request()))
    shown = (
        f"{plugin!r} {vars(plugin)} {AwsCredentials(KEY_ID, KEY, TOKEN)!r} {caught.value!r} {caught.value!s} "
        f"{explained!s} {explained!r} {client.chain} {client!r} {transport.requests!r} {caplog.text} "
        f"{[one.headers for one in transport.requests]!r}"
    )
    assert "canary" not in shown
    assert transport.requests[1].headers["authorization"][-64:] not in shown


@BOTH
def test_two_signers_are_refused(make: Make) -> None:
    class Other(SigV4):
        name = "other"

    with pytest.raises(ConfigurationError, match="SIGN has two owners"):
        make(FakeTransport(), signing(), Other(AwsCredentials(KEY_ID, KEY), "us-east-1", "s3"))
