"""S09 and S10 for the styles that come with jackfield: what leads to another origin, or nowhere, is not asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

import pytest
from tests.both import Both
from tests.security.linking import (
    CANARY,
    COLOUR,
    CREDENTIALS,
    LAST,
    PLACES,
    answer,
    answering,
    link_to,
    trusting,
    where_it_leads_nowhere,
)

from jackfield import (
    ContractError,
    JackfieldError,
    JobState,
    JobTimeoutError,
    Page,
    Request,
    Service,
    follow,
    job,
    paged,
)
from jackfield._reference import resolve
from jackfield_plugins.auth import Bearer
from jackfield_plugins.pagination import InHeader, LinkAt, LinkHeader, NextUrl
from jackfield_plugins.polling import CancelRequest, Result, StateFields, States, StatusUrl

if TYPE_CHECKING:
    from tests.servers import ReceivedRequest, Serve

Follow = Callable[[Request, str], Request]


def anywhere(request: Request, reference: str) -> Request:
    """Broken on purpose: goes wherever it is led."""
    return resolve(request, reference).on(request)


def nowhere(request: Request, reference: str) -> Request:
    """Broken on purpose: asks the service whatever it is given."""
    return request.replace(query=[("link", reference[:99])])


@pytest.fixture
def follows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the styles follow links as the subject does."""
    for module in ("pagination._links", "polling._status_url", "polling._result", "polling._reader", "polling._cancel"):
        monkeypatch.setattr(f"jackfield_plugins.{module}.follow", request.getfixturevalue("subject"))


FOLLOWING = pytest.mark.subjects(ours=follow, anywhere=anywhere)

# --- S09: pages

MOST = 20
NEXT_URL = NextUrl("paging.next", items="items")
NEXT_IN_A_HEADER = NextUrl(InHeader("x-next"), items="items")
LINK_HEADER = LinkHeader(items="items")


class Shelf(Service):
    @paged(NEXT_URL, max_pages=MOST)
    async def by_url(self, at: LinkAt) -> Page[int]:
        return await NEXT_URL.fetch(self, at, Request("GET", self.url("things")), int)

    @paged(NEXT_IN_A_HEADER, max_pages=MOST)
    async def by_header(self, at: LinkAt) -> Page[int]:
        return await NEXT_IN_A_HEADER.fetch(self, at, Request("GET", self.url("things")), int)

    @paged(LINK_HEADER, max_pages=MOST)
    async def by_link(self, at: LinkAt) -> Page[int]:
        return await LINK_HEADER.fetch(self, at, Request("GET", self.url("things")), int)


PAGES = pytest.mark.parametrize("style", ["by_url", "by_header", "by_link"])


def page(link: str | None) -> bytes:
    """A page that gives this link wherever it may be; in headers only what a line can hold."""
    fits = link is not None and link.isprintable() and len(link) < 60_000
    headers = [f"Link: <{link}>; rel=next", f"X-Next: {link}"] if fits else []
    return answer(200, *headers, body={"items": [1], "paging": {"next": link}})


@pytest.mark.usefixtures("follows")
@FOLLOWING
@COLOUR
@PLACES
@PAGES
def test_s09_no_style_asks_another_origin_for_a_page(
    subject: Follow, style: str, place: str, colour: str, serve: Serve, tls: SSLContext, authority: Any
) -> None:
    other = serve(LAST)
    first = serve(
        answering(lambda request: page(link_to(other, place))), tls=tls if place == "http for https" else None
    )

    with Both(colour, Shelf, first.url, trusting(authority), **CREDENTIALS["bearer"]()) as api:
        with pytest.raises(ContractError, match="another origin") as caught:
            api.all(getattr(api.client, style).all())
        assert CANARY not in f"{caught.value!r} {caught.value}"

    assert len(first.requests) == 1
    assert other.connections == 0


@pytest.mark.usefixtures("follows")
@pytest.mark.subjects(ours=follow, nowhere=nowhere)
@COLOUR
@PAGES
def test_s09_no_style_goes_where_there_is_nothing(
    subject: Follow, style: str, colour: str, serve: Serve, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"items": ["read"]}')
    other = serve(LAST)
    links: list[str] = []
    service = serve(answering(lambda request: page(links.pop() if links else None)))

    with Both(colour, Shelf, service.url, plugins=[Bearer(CANARY)]) as api:
        for link in where_it_leads_nowhere(service, other, secret):
            if style != "by_url" and not (link.isprintable() and len(link) < 60_000):
                continue
            links[:] = [link]
            with pytest.raises(ContractError) as caught:
                api.all(getattr(api.client, style).all())
            assert CANARY not in f"{caught.value!r} {caught.value}"
            assert len(service.requests) == 1, link
            service.requests.clear()

    assert other.connections == 0


@pytest.mark.usefixtures("follows")
@FOLLOWING
@COLOUR
@PAGES
def test_s09_no_style_follows_a_token_that_was_planted(subject: Follow, style: str, colour: str, serve: Serve) -> None:
    other, service = serve(LAST), serve(LAST)

    with Both(colour, Shelf, service.url, plugins=[Bearer(CANARY)]) as api:
        for planted in ([f"{other.url}/x", ""], ["/x", f"{other.url}/things"], ["x", f"//127.0.0.1:{other.port}/y"]):
            call = getattr(api.client, style).at(json.dumps([style, planted]))
            with pytest.raises(ContractError, match="another origin"):
                api.get(call())

    assert other.connections == service.connections == 0


CIRCLES: dict[str, Callable[[str], str]] = {
    "to the same": lambda target: "/things",
    "in a circle": lambda target: "/b" if target == "/a" else "/a",
    "for ever": lambda target: f"{target}x",
}


def to_its_end(api: Both, style: str) -> None:
    api.all(getattr(api.client, style).all())


def on_and_on(api: Both, style: str) -> None:
    """Broken on purpose: goes on from each token, and asks nobody whether that ends."""
    token = json.dumps([style, ["/begin", ""]])
    for number in range(50):
        link, base = json.loads(api.get(getattr(api.client, style).at(token)()).next)[1]
        token = json.dumps([style, [f"{link}{number}", base]])


@pytest.mark.subjects(ours=to_its_end, endless=on_and_on)
@COLOUR
@PAGES
@pytest.mark.parametrize("circle", CIRCLES)
def test_s09_pages_of_every_style_come_to_an_end(
    subject: Callable[[Both, str], None], style: str, circle: str, colour: str, serve: Serve
) -> None:
    service = serve(answering(lambda request: page(CIRCLES[circle](request.target))))

    with Both(colour, Shelf, service.url) as api, pytest.raises(ContractError):
        subject(api, style)

    assert len(service.requests) <= MOST


# --- S10: jobs

STATES = States({"done"}, failed={"failed"})
BY_STATE = StateFields(state="state")
BY_STATUS = StatusUrl(int, link="status", interval=0.001)
BY_WORD = StatusUrl(int, STATES, BY_STATE, link="status", interval=0.001, result=Result(link="result"))
WITH_A_RESULT = StatusUrl(
    int, STATES, BY_STATE, link="status", interval=0.001, result=Result(header="x-result"), cancel=CancelRequest()
)


class Yard(Service):
    @job(BY_STATUS)
    async def by_status(self) -> JobState[int]:
        return await BY_STATUS.start(self, Request("POST", self.url("build")))

    @job(BY_WORD)
    async def by_word(self) -> JobState[int]:
        return await BY_WORD.start(self, Request("POST", self.url("build")))

    @job(WITH_A_RESULT)
    async def with_a_result(self) -> JobState[int]:
        return await WITH_A_RESULT.start(self, Request("POST", self.url("build")))


JOBS = pytest.mark.parametrize("style", ["by_status", "by_word", "with_a_result"])
HEADERS = ["operation-location", "azure-asyncoperation", "location", "content-location"]
DONE = answering(lambda request: answer(200, body={"state": "done"}))


def started(link: str, told_by: str) -> bytes:
    """A job that has begun; where its state is, a header says, or the body."""
    return answer(202, f"{told_by}: {link}") if told_by else answer(202, body={"status": link, "state": "running"})


@pytest.mark.usefixtures("follows")
@FOLLOWING
@COLOUR
@JOBS
@pytest.mark.parametrize("told_by", [*HEADERS, ""])
@pytest.mark.parametrize("place", ["another port", "no scheme"])
def test_s10_no_style_asks_another_origin_for_a_job(
    subject: Follow, place: str, told_by: str, style: str, colour: str, serve: Serve
) -> None:
    other = serve(DONE)
    service = serve(answering(lambda request: started(link_to(other, place), told_by)))

    with Both(colour, Yard, service.url, **CREDENTIALS["bearer"]()) as api:
        with pytest.raises(JackfieldError) as caught:
            api.get(getattr(api.client, style)())
        assert CANARY not in f"{caught.value!r} {caught.value}"

    assert other.connections == 0
    assert isinstance(caught.value, ContractError)
    assert len(service.requests) == 1


@pytest.mark.usefixtures("follows")
@FOLLOWING
@COLOUR
@pytest.mark.parametrize("when", ["a moved state", "the result in the body", "the result at the start", "cancelling"])
def test_s10_no_style_goes_on_to_another_origin(subject: Follow, when: str, colour: str, serve: Serve) -> None:
    other = serve(DONE)
    away = f"{other.url}/x"
    style = {"a moved state": "by_status", "the result in the body": "by_word"}.get(when, "with_a_result")

    def respond(request: ReceivedRequest) -> bytes:
        if request.line.startswith("POST"):
            more = [f"X-Result: {away}"] if when == "the result at the start" else []
            return answer(202, "Location: /state", *more)
        if when == "a moved state":
            return answer(202, f"Location: {away}")
        return answer(200, body={"state": "done", "result": away})

    service = serve(answering(respond))

    with Both(colour, Yard, service.url, plugins=[Bearer(CANARY)]) as api:
        operation = getattr(api.client, style)
        planted = operation.resume(json.dumps([style, away, ""]))
        with pytest.raises(JackfieldError) as caught:
            api.get(planted.cancel() if when == "cancelling" else operation())

    assert other.connections == 0
    assert isinstance(caught.value, ContractError)


@pytest.mark.usefixtures("follows")
@pytest.mark.subjects(ours=follow, nowhere=nowhere)
@COLOUR
@JOBS
def test_s10_no_style_asks_where_there_is_nothing(
    subject: Follow, style: str, colour: str, serve: Serve, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"state": "done"}')
    other = serve(DONE)
    links: list[str] = []
    service = serve(
        answering(lambda request: started(links.pop(), "") if links else answer(200, body={"state": "done"}))
    )

    with Both(colour, Yard, service.url, plugins=[Bearer(CANARY)]) as api:
        for link in where_it_leads_nowhere(service, other, secret):
            links[:] = [link]
            with pytest.raises(ContractError) as caught:
                api.get(getattr(api.client, style)())
            assert CANARY not in f"{caught.value!r} {caught.value}"
            assert len(service.requests) == 1, link
            service.requests.clear()

    assert other.connections == 0


@pytest.mark.usefixtures("follows")
@FOLLOWING
@COLOUR
@JOBS
def test_s10_no_style_follows_a_token_that_was_planted(subject: Follow, style: str, colour: str, serve: Serve) -> None:
    other, service = serve(DONE), serve(DONE)

    with Both(colour, Yard, service.url, plugins=[Bearer(CANARY)]) as api:
        for link in (f"{other.url}/x", f"//127.0.0.1:{other.port}/x"):
            handle = getattr(api.client, style).resume(json.dumps([style, link, ""]))
            with pytest.raises(JackfieldError) as caught:
                api.get(handle.result(timeout=1))
            assert isinstance(caught.value, ContractError)

    assert other.connections == service.connections == 0


def as_it_is(body: object, *headers: str) -> bytes:
    return answer(202, *headers, body=body)


def with_a_state(body: object, *headers: str) -> bytes:
    """Broken on purpose: says where, after all."""
    return answer(202, "Location: /state", body=body)


@pytest.mark.subjects(ours=as_it_is, telling=with_a_state)
@COLOUR
@JOBS
def test_s10_a_job_that_is_nowhere_is_an_error(
    subject: Callable[..., bytes], style: str, colour: str, serve: Serve
) -> None:
    bodies: list[object] = [None, {}, {"status": None}, {"status": 5}, {"status": {"url": "/x"}}, []]
    service = serve(answering(lambda request: subject(bodies[0])))

    with Both(colour, Yard, service.url) as api:
        while bodies:
            with pytest.raises(ContractError, match=r"where its state is|leads nowhere"):
                api.get(getattr(api.client, style).start())
            del bodies[0]


def waited_for(api: Both, style: str) -> None:
    api.get(api.get(getattr(api.client, style).start()).result(timeout=0.05))


def asked_again_and_again(api: Both, style: str) -> None:
    """Broken on purpose: asks for the state as long as the service says that it is not done."""
    handle = api.get(getattr(api.client, style).start())
    for _ in range(300):
        api.get(handle.poll())


@pytest.mark.subjects(ours=waited_for, patient=asked_again_and_again)
@COLOUR
@JOBS
def test_s10_a_job_of_any_style_that_is_never_done_ends_with_the_time_there_is(
    subject: Callable[[Both, str], None], style: str, colour: str, serve: Serve
) -> None:
    service = serve(answering(lambda request: answer(202, "Location: /state", body={"state": "running"})))

    with Both(colour, Yard, service.url) as api, pytest.raises(JobTimeoutError) as caught:
        subject(api, style)

    assert caught.value.job_token is not None
    assert len(service.requests) <= 100
