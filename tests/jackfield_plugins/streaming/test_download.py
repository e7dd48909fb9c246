"""Iterating over a download: each byte once and in order, whatever breaks; or a typed error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_plugins.streaming.answers import DATA, ETAG, digest, part, sent, whole
from tests.jackfield_plugins.streaming.service import Files
from tests.servers.ranges import Ranges

from jackfield import (
    AsyncClient,
    BodyTooLargeError,
    Client,
    ConfigurationError,
    ConnectionLostError,
    ContractError,
    DeadlineExceededError,
    Event,
    JackfieldError,
    NotFoundError,
    ProtocolError,
    ReadTimeoutError,
    Request,
    Response,
    RetryScheduled,
    ServiceError,
    SignatureError,
    TruncatedBodyError,
    UnavailableError,
    Without,
    hookimpl,
)
from jackfield.testing import CutBody, FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_plugins.streaming import Download
from jackfield_plugins.streaming._pace import MOST

if TYPE_CHECKING:
    from tests.both import Both
    from tests.jackfield_plugins.streaming.conftest import Serving

DATE = "Sat, 14 Mar 2026 15:09:26 GMT"
LATER = "Sat, 14 Mar 2026 15:10:26 GMT"
SOON = "Sat, 14 Mar 2026 15:10:25 GMT"


def for_each(api: Both, taken: list[bytes]) -> None:
    """Every piece into the list, up to an error."""

    async def collect(stream: Any) -> None:
        async for piece in stream:
            taken.append(piece)  # noqa: PERF401 - what came before an error must stay

    stream = api.client.get()
    if isinstance(api.client, Client):
        for piece in stream:
            taken.append(piece)  # noqa: PERF402 - what came before an error must stay
    else:
        api.get(collect(stream))


class Watch:
    name = "watch"

    def __init__(self) -> None:
        self.events: list[Event] = []

    @hookimpl
    def jackfield_observer(self) -> Callable[[Event], None]:
        return self.events.append


# --- breaks


def test_a_whole_answer_needs_one_request_without_a_range_and_without_codings(serving: Serving) -> None:
    api = serving([whole()])

    assert b"".join(api.all(api.client.get())) == DATA
    assert sent(api) == [(None, None)]
    assert isinstance(api.transport, FakeTransport)
    assert api.transport.requests[0].headers["accept-encoding"] == "identity"


def test_a_broken_answer_is_taken_up_where_it_broke(serving: Serving) -> None:
    ranges = Ranges(DATA, cuts=[30, 0, 25])
    api = serving(ranges.answer)

    assert b"".join(api.all(api.client.get())) == DATA
    assert sent(api) == [(None, None), ("bytes=30-", ETAG), ("bytes=30-", ETAG), ("bytes=55-", ETAG)]


def test_an_answer_without_a_length_is_taken_up_as_well(serving: Serving) -> None:
    ranges = Ranges(DATA, cuts=[30], chunked=True)
    api = serving(ranges.answer)

    assert b"".join(api.all(api.client.get())) == DATA


@pytest.mark.parametrize(
    "error", [ConnectionLostError("reset"), ReadTimeoutError("silence"), TruncatedBodyError("cut")]
)
def test_what_a_network_does_is_mended(serving: Serving, error: JackfieldError) -> None:
    broken = Response(200, {"etag": ETAG}, CutBody(DATA, after=10, error=error))

    api = serving([broken, part(10)])
    assert b"".join(api.all(api.client.get())) == DATA


def test_a_request_for_the_rest_that_finds_nobody_is_a_break_like_others(serving: Serving) -> None:
    api = serving([whole(cut=10), ConnectionLostError("refused"), ReadTimeoutError("silence"), part(10)])

    assert b"".join(api.all(api.client.get())) == DATA


def test_parts_that_are_shorter_than_asked_for_are_put_together(serving: Serving) -> None:
    api = serving([whole(cut=10), part(10, 40), part(40, 41), part(41)])

    assert b"".join(api.all(api.client.get())) == DATA
    assert [wanted for wanted, _ in sent(api)][1:] == ["bytes=10-", "bytes=40-", "bytes=41-"]


@pytest.mark.parametrize("end", [part(40), Response(416, {"content-range": "bytes */40"})], ids=["more", "no-more"])
def test_a_part_of_who_knows_how_much_is_not_taken_for_all(serving: Serving, end: Response) -> None:
    begun = Response(200, {"etag": ETAG}, CutBody(DATA, after=10))
    api = serving([begun, part(10, 40, content_range="bytes 10-39/*"), end])

    assert b"".join(api.all(api.client.get())) == (DATA if end.status == 206 else DATA[:40])


@given(
    data=st.binary(max_size=400),
    cuts=st.lists(st.integers(0, 50), max_size=20),
    piece=st.integers(1, 60),
    chunked=st.booleans(),
)
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("base", [Client, AsyncClient])
def test_whatever_breaks_every_byte_comes_once(
    base: type, data: bytes, cuts: list[int], piece: int, chunked: bool
) -> None:
    ranges = Ranges(data, cuts=cuts, chunked=chunked)
    runtime = VirtualSyncRuntime() if base is Client else VirtualAsyncioRuntime()
    transport = FakeTransport(otherwise=ranges.answer, piece=piece)
    client: Any = type("Api", (Files, base), {})("https://h", transport=transport, runtime=runtime)
    got = bytearray()

    async def collect() -> None:
        async for each in client.get():
            got.extend(each)

    try:
        if base is Client:
            for each in client.get():
                got.extend(each)
        else:
            asyncio.run(collect())
    except TruncatedBodyError:
        fruitless = [cut for cut in cuts if cut == 0]
        assert len(fruitless) > 5
        assert data.startswith(got)
    else:
        assert got == data


# --- how often, and how long


def test_breaks_that_bring_nothing_are_bounded_and_each_wait_may_be_longer(serving: Serving) -> None:
    lost = ConnectionLostError("reset")
    api = serving([whole(cut=10), *[lost] * 10])
    taken: list[bytes] = []

    with pytest.raises(ConnectionLostError):
        for_each(api, taken)

    assert b"".join(taken) == DATA[:10]
    assert len(sent(api)) == 7
    sleeps = api.client.runtime.sleeps
    assert len(sleeps) == 6
    assert all(wait <= 0.1 * 2**number for number, wait in enumerate(sleeps))
    assert max(sleeps) > 0.2


def test_a_byte_more_makes_hope_again(serving: Serving) -> None:
    lost = ConnectionLostError("reset")
    api = serving([whole(cut=10), *[lost] * 5, part(10, cut=1), *[lost] * 5, part(11)])

    assert b"".join(api.all(api.client.get())) == DATA
    assert api.client.runtime.sleeps[6] <= 0.1


def test_no_wait_is_longer_than_the_cap(serving: Serving) -> None:
    api = serving([whole(cut=10), *[ConnectionLostError("reset")] * 30, part(10)])

    assert b"".join(api.all(api.client.patient())) == DATA
    assert 2 < max(api.client.runtime.sleeps) <= 3


def test_inside_a_bounded_body_no_wait_goes_beyond_its_deadline(serving: Serving) -> None:
    api = serving([whole(cut=10), *[ConnectionLostError("reset")] * 5], timeout=0.05)

    with pytest.raises(DeadlineExceededError):
        api.get(api.client.nested())
    assert api.client.runtime.elapsed <= 0.05


def test_a_service_that_gives_a_byte_at_a_time_does_not_go_on_for_ever() -> None:
    data = bytes(MOST + 10)
    ranges = Ranges(data, cuts=[1] * len(data))
    transport = FakeTransport(otherwise=ranges.answer)
    client: Any = type("Api", (Files, Client), {})("https://h", transport=transport, runtime=VirtualSyncRuntime())

    with pytest.raises(TruncatedBodyError):
        for _ in client.get():
            pass

    assert len(ranges.starts) == MOST


def test_observers_are_told_of_each_wait(serving: Serving) -> None:
    watch = Watch()
    api = serving([whole(cut=10), part(10)], plugins=[watch])

    api.all(api.client.get())

    waits = [event for event in watch.events if isinstance(event, RetryScheduled)]
    assert [(wait.operation, wait.attempt, wait.reason) for wait in waits] == [("get", 2, "TruncatedBodyError")]


@pytest.mark.parametrize("arguments", [{"fruitless": -1}, {"fruitless": 1.5}, {"base": 0}, {"cap": -1}, {"base": "1"}])
def test_settings_that_make_no_sense_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Download(**arguments)


def test_no_break_at_all_may_be_borne(serving: Serving) -> None:
    api = serving([whole(cut=10), part(10, cut=1), part(11, cut=0), part(11)])

    with pytest.raises(TruncatedBodyError):
        api.all(api.client.hasty())
    assert len(sent(api)) == 3


# --- what is not taken up


@pytest.mark.parametrize(
    "fields",
    [
        {"etag": ""},
        {"etag": 'W/"v1"'},
        {"etag": "v1"},
        {"etag": '"a" "b"'},
        {"etag": '"a", "b"'},
        {"etag": 'W/"v1"', "last_modified": DATE, "date": LATER},
        {"etag": "", "last_modified": DATE},
        {"etag": "", "last_modified": DATE, "date": SOON},
        {"etag": "", "last_modified": "yesterday", "date": LATER},
        {"accept_ranges": "none"},
        {"content_encoding": "gzip"},
    ],
    ids=str,
)
def test_without_a_strong_validator_a_break_is_an_error(serving: Serving, fields: dict[str, str]) -> None:
    api = serving([whole(cut=10, also=fields)])
    taken: list[bytes] = []

    with pytest.raises(TruncatedBodyError):
        for_each(api, taken)

    assert b"".join(taken) == DATA[:10]
    assert len(sent(api)) == 1


def test_a_date_long_enough_ago_is_a_strong_validator(serving: Serving) -> None:
    api = serving([whole(cut=10, etag="", last_modified=DATE, date=LATER), part(10, etag="", last_modified=DATE)])

    assert b"".join(api.all(api.client.get())) == DATA
    assert sent(api)[1] == ("bytes=10-", DATE)


def test_before_its_first_byte_any_answer_may_be_asked_for_again(serving: Serving) -> None:
    api = serving([whole(cut=0, etag=""), whole(etag="")])

    assert b"".join(api.all(api.client.get())) == DATA
    assert sent(api) == [(None, None), (None, None)]


@pytest.mark.parametrize(
    "error",
    [ProtocolError("garbage"), DeadlineExceededError("late"), UnavailableError("busy", status=503)],
    ids=lambda error: type(error).__name__,
)
def test_what_another_request_would_not_mend_is_an_error_at_once(serving: Serving, error: Exception) -> None:
    api = serving([Response(200, {"etag": ETAG}, CutBody(DATA, after=10, error=error))])

    with pytest.raises(type(error)):
        api.all(api.client.get())
    assert len(sent(api)) == 1


def test_a_first_request_that_fails_is_the_retry_plugin_s_to_repeat(serving: Serving) -> None:
    api = serving([ConnectionLostError("reset")])

    with pytest.raises(ConnectionLostError):
        api.all(api.client.get())


def test_what_the_service_says_to_a_request_for_the_rest_counts(serving: Serving) -> None:
    api = serving([whole(cut=10), Response(503)])

    with pytest.raises(UnavailableError):
        api.all(api.client.get())


def test_what_may_not_be_sent_twice_is_not(serving: Serving) -> None:
    api = serving([whole(cut=0)])

    with pytest.raises(TruncatedBodyError):
        api.all(api.client.post())
    assert len(sent(api)) == 1


def test_what_is_not_fetched_by_get_has_no_ranges(serving: Serving) -> None:
    api = serving([whole(cut=0), whole()])
    assert b"".join(api.all(api.client.post(idempotent=True))) == DATA
    assert sent(api) == [(None, None), (None, None)]

    api = serving([whole(cut=10)])
    with pytest.raises(TruncatedBodyError):
        api.all(api.client.post(idempotent=True))


# --- what does not belong together


def test_another_entity_is_not_appended(serving: Serving) -> None:
    api = serving([whole(cut=10), whole(bytes(100), etag='"v2"')])
    taken: list[bytes] = []

    with pytest.raises(ContractError, match="something else"):
        for_each(api, taken)

    assert b"".join(taken) == DATA[:10]


UGLY: list[tuple[str, Response]] = [
    ("another-start", part(11)),
    ("an-earlier-start", part(0)),
    ("another-total", part(10, content_range="bytes 10-99/101")),
    ("another-etag", part(10, etag='"v2"')),
    ("a-weak-etag", part(10, etag='W/"v1"')),
    ("no-content-range", part(10, content_range="")),
    ("another-unit", part(10, content_range="pages 10-99/100")),
    ("no-unit", part(10, content_range="10-99/100")),
    ("last-before-first", part(10, content_range="bytes 10-9/100")),
    ("nothing-from-nowhere", part(10, data=b"", content_range="bytes 10-9/100")),
    ("last-beyond-total", part(10, content_range="bytes 10-100/100")),
    ("total-of-nothing", part(10, content_range="bytes 10-99/0")),
    ("no-total", part(10, content_range="bytes 10-99/")),
    ("no-total-no-slash", part(10, content_range="bytes 10-99")),
    ("unsatisfied", part(10, content_range="bytes */100")),
    ("signs", part(10, content_range="bytes +10-99/100")),
    ("a-negative", part(10, content_range="bytes -10-99/100")),
    ("hexadecimal", part(10, content_range="bytes 0xa-0x63/100")),
    ("other-digits", part(10, content_range="bytes 1\xb2-99/100")),
    ("a-huge-number", part(10, content_range=f"bytes 10-{'9' * 30}/100")),
    ("two-fields", Response(206, [("content-range", "bytes 10-99/100"), ("content-range", "bytes 10-99/100")], b"x")),
    ("several-ranges", part(10, content_type="multipart/byteranges; boundary=x")),
    ("a-content-coding", part(10, content_encoding="gzip")),
    ("another-length", part(10, content_length="89")),
    ("more-than-it-says", part(10, data=DATA[10:] + b"x")),
    ("more-than-its-part", part(10, data=DATA[10:], content_range="bytes 10-19/100")),
    ("a-digest-that-is-wrong", part(10, content_digest=digest(b"x"))),
    ("a-digest-that-is-none", part(10, content_digest="sha-256=1")),
]


@pytest.mark.parametrize("answer", [answer for _, answer in UGLY], ids=[name for name, _ in UGLY])
def test_a_part_that_does_not_fit_is_refused(serving: Serving, answer: Response) -> None:
    api = serving([whole(cut=10), answer], piece=200)
    taken: list[bytes] = []

    with pytest.raises(ContractError) as caught:
        for_each(api, taken)

    assert DATA.startswith(b"".join(taken)[:100])
    call = caught.value.call
    assert call is not None
    assert (call.operation, call.url, call.attempts) == ("get", "https://files.example/files/a.bin", 2)


def test_what_is_refused_gives_its_connection_back(serving: Serving) -> None:
    api = serving([part(0)])
    stream = api.client.get()

    with pytest.raises(ContractError):
        api.all(stream)

    assert stream._body._transfer._body is None


@pytest.mark.parametrize("unit", ["bytes", "Bytes", "BYTES"])
def test_the_unit_s_case_is_of_no_account(serving: Serving, unit: str) -> None:
    api = serving([whole(cut=10), part(10, content_range=f"{unit} 10-99/100")])

    assert b"".join(api.all(api.client.get())) == DATA


def test_more_than_was_announced_is_refused(serving: Serving) -> None:
    api = serving([whole(DATA + b"x", content_length="100")])

    with pytest.raises(ContractError):
        api.all(api.client.get())


def test_less_than_was_announced_is_a_break(serving: Serving) -> None:
    api = serving([whole(DATA[:90], content_length="100"), part(90)])

    assert b"".join(api.all(api.client.get())) == DATA


def test_nothing_after_what_there_is_means_that_it_is_whole(serving: Serving) -> None:
    told = Response(200, {"etag": ETAG}, CutBody(DATA, after=100))
    end = Response(416, {"content-range": "bytes */100"})

    for plugins in ([], [Without("errors")]):
        api = serving([told, end], plugins=plugins)
        assert b"".join(api.all(api.client.get())) == DATA


@pytest.mark.parametrize("where", ["bytes */99", "bytes */101", "bytes 0-9/100", ""])
def test_nothing_after_what_there_is_not_means_that_it_is_another(serving: Serving, where: str) -> None:
    told = Response(200, {"etag": ETAG}, CutBody(DATA, after=100))
    api = serving([told, Response(416, {"content-range": where}), whole(b"other", etag='"v2"')])

    with pytest.raises(ContractError):
        api.all(api.client.get())


def test_nothing_was_asked_for_and_nothing_is_there(serving: Serving) -> None:
    api = serving([Response(416, {"content-range": "bytes */0"})])

    with pytest.raises(ServiceError, match="416"):
        api.all(api.client.get())


@pytest.mark.parametrize("answer", [part(0), Response(304), Response(300)], ids=lambda answer: str(answer.status))
def test_an_answer_that_was_not_asked_for_is_refused(serving: Serving, answer: Response) -> None:
    api = serving([answer])

    with pytest.raises(ContractError, match="not asked for"):
        api.all(api.client.get())


def test_an_error_is_an_error_where_nobody_else_says_so(serving: Serving) -> None:
    api = serving([Response(404, body=b"gone")], plugins=[Without("errors")])

    with pytest.raises(NotFoundError) as caught:
        api.all(api.client.get())

    assert caught.value.response is not None
    assert caught.value.response.content == b"gone"


@pytest.mark.parametrize("status", [200, 201, 203])
def test_any_success_may_bring_an_entity(serving: Serving, status: int) -> None:
    api = serving([Response(status, body=DATA)])

    assert b"".join(api.all(api.client.get())) == DATA


@pytest.mark.parametrize("status", [202, 204, 205])
def test_what_is_not_there_yet_or_not_at_all_is_no_entity(serving: Serving, status: int) -> None:
    api = serving([Response(status)])

    with pytest.raises(ContractError, match=str(status)):
        api.all(api.client.get())


def test_a_part_that_does_not_say_whose_it_is_is_not_added(serving: Serving) -> None:
    nameless = Response(206, part(40).headers.without("etag"), part(40).body)
    api = serving([whole(cut=40), nameless])

    with pytest.raises(ContractError, match="another entity"):
        api.all(api.client.get())


def test_nothing_is_an_entity_too(serving: Serving) -> None:
    for answer in (Response(200), Response(200, {"content-length": "0"})):
        api = serving([answer])
        assert api.all(api.client.get()) == []


# --- digests


@pytest.mark.parametrize("name", ["repr_digest", "content_digest"])
@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
def test_what_hashes_to_what_was_announced_is_right(serving: Serving, name: str, algorithm: str) -> None:
    api = serving([whole(cut=33, also={name: digest(DATA, algorithm)}), part(33)])

    assert b"".join(api.all(api.client.get())) == DATA


@pytest.mark.parametrize("name", ["repr_digest", "content_digest"])
@pytest.mark.parametrize(
    "value",
    [
        digest(b"other"),
        digest(b"other", "sha-512"),
        f"{digest(DATA)}, {digest(b'other', 'sha-512')}",
        "sha-256=:AAAA:",
        "sha-256=1",
        "sha-256",
        digest(DATA)[:-1],
        "",
    ],
)
def test_what_does_not_is_an_error_instead_of_the_end(serving: Serving, name: str, value: str) -> None:
    headers = {"etag": ETAG, "content-length": "100", name.replace("_", "-"): value}
    api = serving([Response(200, headers, DATA)])

    if value:
        with pytest.raises(SignatureError):
            api.all(api.client.get())


@pytest.mark.parametrize("value", ["md5=:AAAA:", "adler=1, unixsum=2", f"{digest(DATA)}, md5=:AAAA:"])
def test_algorithms_that_prove_nothing_are_passed_by(serving: Serving, value: str) -> None:
    api = serving([whole(repr_digest=value)])

    assert b"".join(api.all(api.client.get())) == DATA


def test_what_was_coded_unasked_is_no_longer_than_any_body(serving: Serving) -> None:
    api = serving([whole(content_encoding="gzip", content_length="7")], max_body_size=len(DATA) - 1)

    with pytest.raises(BodyTooLargeError):
        api.all(api.client.get())


def test_digests_of_coded_bytes_say_nothing_about_what_is_read(serving: Serving) -> None:
    api = serving([whole(repr_digest=digest(b"coded"), content_length="7", content_encoding="gzip")])

    assert b"".join(api.all(api.client.get())) == DATA


@pytest.mark.parametrize("coding", ["identity", " Identity ", ""])
def test_no_coding_may_be_said_in_words(serving: Serving, coding: str) -> None:
    headers = {"etag": ETAG, "content-encoding": coding.strip(), "repr-digest": digest(b"other")}
    api = serving([Response(200, headers, DATA)])

    with pytest.raises(SignatureError):
        api.all(api.client.get())


def test_the_end_of_a_part_is_not_taken_for_the_end_of_all(serving: Serving) -> None:
    api = serving([whole(cut=10, repr_digest=digest(DATA)), part(10, 40), part(40)])

    assert b"".join(api.all(api.client.get())) == DATA


def test_a_part_s_own_digest_is_checked(serving: Serving) -> None:
    api = serving([whole(cut=10), part(10, 40, content_digest=digest(DATA[10:40])), part(40)])

    assert b"".join(api.all(api.client.get())) == DATA


# --- the bundle's side, and the end


def test_a_bundle_that_sends_another_request_is_told(serving: Serving) -> None:
    api = serving([whole()])

    with pytest.raises(ConfigurationError, match=r"part\.of"):
        api.all(api.client.careless())


def test_the_part_has_the_say_over_ranges() -> None:
    from jackfield import Url
    from jackfield_plugins.streaming import Part

    request = Request("GET", Url.parse("https://h/a"), headers={"Range": "bytes=5-", "If-Range": '"x"'})

    assert dict(Part().of(request).headers.pairs()) == {"accept-encoding": "identity"}


def test_a_transport_without_streams_will_do() -> None:
    class Plain:
        async def send(self, request: Request, call: Any) -> Response:
            return whole()

        async def close(self) -> None: ...

    client: Any = type("Api", (Files, Client), {})("https://h", transport=Plain())

    assert list(client.get()) == [DATA]


def test_a_stream_that_is_left_gives_its_connection_back(serving: Serving) -> None:
    body = CutBody(DATA, after=50)
    api = serving([Response(200, {"etag": ETAG}, body)])
    stream = api.client.get()

    async def work() -> None:
        await anext(stream)
        await stream.aclose()

    if isinstance(api.client, Client):
        next(stream)
        stream.close()
    else:
        api.get(work())

    assert stream._body._transfer._body is None
