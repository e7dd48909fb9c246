"""S09 and S10: links that a service gives for the next page or for a job's state, and what goes to where they lead."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, NamedTuple

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
    items,
    link_to,
    trusting,
    where_it_leads_nowhere,
)

import jackfield._paging
from jackfield import (
    ContractError,
    Done,
    JackfieldError,
    JobState,
    JobTimeoutError,
    Origin,
    Page,
    Pending,
    Request,
    Response,
    Service,
    follow,
    job,
    operation,
    paged,
)
from jackfield._reference import resolve
from jackfield_plugins.auth import Bearer
from jackfield_plugins.polling import Polling

if TYPE_CHECKING:
    from tests.servers import ReceivedRequest, Script, ScriptedServer, Serve

Leaks = Callable[["ScriptedServer"], list[str]]
Follow = Callable[[Service, Request, str], Request]
KINDS = pytest.mark.parametrize("kind", [kind for kind in CREDENTIALS if kind != "digest"])
SOME_KINDS = pytest.mark.parametrize("kind", ["bearer", "api key query", "the client's own"])


# --- a service that pages by links and has jobs with a URL for their state, and how it follows them


def ours(service: Service, base: Request, reference: str) -> Request:
    return follow(base, reference)


def naive(service: Service, base: Request, reference: str) -> Request:
    """Broken on purpose: each origin that a link leads to is the service's."""
    following = resolve(base, reference).on(base)
    service.call.origin = following.url.origin
    return following


def abroad(service: Service, base: Request, reference: str) -> Request:
    """Broken on purpose: goes wherever a link leads, though without credentials."""
    return resolve(base, reference).on(base)


def timid(service: Service, base: Request, reference: str) -> Request:
    """Broken on purpose: takes every link for one to another origin."""
    service.call.origin = Origin("https", "elsewhere.example.test", 443)
    return resolve(base, reference).on(base).replace(headers=())


def credulous(service: Service, base: Request, reference: str) -> Request:
    """Broken on purpose: asks the service whatever the link says."""
    return base.replace(query=[("link", reference)])


class Link(NamedTuple):
    to: str = ""


class ByLink:
    def first(self, service: Any) -> Link:
        return Link()

    def after(self, at: Link, page: Page[Any]) -> Link | None:
        return Link(page.raw["next"]) if page.raw.get("next") else None


async def look(service: Any, job: Pending) -> JobState[int]:
    response = await service.look(job.id)
    return Done(response.status) if response.status != 202 else job


def cloud(follow: Follow, told_by: str = "location") -> type[Service]:
    """The service, as it follows links; the URL of a job's state is in this header, or in the body."""

    class Cloud(Service):
        @paged(ByLink())
        async def things(self, at: Link) -> Page[int]:
            request = Request("GET", self.url("things"))
            response = await self.send(follow(self, request, at.to) if at.to else request)
            said = response.decode(dict[str, Any])
            return Page(said["items"], raw=said)

        @job(Polling(look, interval=0.001))
        async def build(self) -> JobState[int]:
            response = await self.send(Request("POST", self.url("build")))
            return Pending(response.headers.get(told_by) or response.decode(dict[str, str])["state"])

        @operation
        async def look(self, where: str) -> Response:
            return await self.send(follow(self, Request("GET", self.url("state")), where))

    return Cloud


def pages(following: Callable[[str], str | None]) -> Script:
    """Each page leads to what follows from its target."""
    return answering(lambda request: items(1, then=following(request.target)))


def jobs(state: str, told_by: str = "location") -> Script:
    """A job that is done when it is first asked for; where, this header says, or the body."""
    field = [f"{told_by}: {state}"] if told_by else []
    started = answer(202, *field, body={"state": state})
    return answering(lambda request: started if request.line.startswith("POST") else answer(200))


# --- S09: the next page


@pytest.mark.subjects(ours=ours, naive=naive, abroad=abroad)
@COLOUR
@PLACES
@KINDS
def test_s09_a_next_page_of_another_origin_is_not_asked_for(
    subject: Follow, kind: str, place: str, colour: str, serve: Serve, tls: SSLContext, authority: Any, leaks: Leaks
) -> None:
    other = serve(LAST)
    first = serve(
        answering(lambda request: items(1, then=link_to(other, place))), tls=tls if place == "http for https" else None
    )

    with Both(colour, cloud(subject), first.url, trusting(authority), **CREDENTIALS[kind]()) as api:
        with pytest.raises(ContractError, match="another origin") as caught:
            api.all(api.client.things.all())
        assert CANARY not in f"{caught.value!r} {caught.value}"

    assert CANARY in first.requests[0].target or leaks(first) != []  # there was something to leak
    assert other.connections == 0


@pytest.mark.subjects(ours=ours, naive=naive, abroad=abroad)
@COLOUR
def test_s09_a_next_page_of_another_origin_has_no_chance_to_challenge(
    subject: Follow, colour: str, serve: Serve, leaks: Leaks
) -> None:
    def challenging(page: Callable[[], bytes]) -> Script:
        challenge = 'WWW-Authenticate: Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n"'
        return answering(lambda request: page() if request.get_all("authorization") else answer(401, challenge))

    other = serve(challenging(lambda: items(2)))
    first = serve(challenging(lambda: items(1, then=f"{other.url}/x")))

    with Both(colour, cloud(subject), first.url, **CREDENTIALS["digest"]()) as api, suppress(JackfieldError):
        api.all(api.client.things.all())

    assert "authorization" in leaks(first)  # there was something to challenge
    assert other.connections == 0


@pytest.mark.subjects(ours=ours, timid=timid)
@COLOUR
@SOME_KINDS
@pytest.mark.parametrize("link", ["/x", "?page=2", "//{host}/x", "http://{host}/x", "HTTP://{host}/x", "./x#y"])
def test_s09_a_next_page_of_the_same_origin_is_asked_for_with_credentials(
    subject: Follow, link: str, kind: str, colour: str, serve: Serve, leaks: Leaks
) -> None:
    def respond(request: ReceivedRequest) -> bytes:
        return items(1, then=link.format(host=f"127.0.0.1:{service.port}")) if len(service.requests) == 1 else items(2)

    service = serve(answering(respond))

    with Both(colour, cloud(subject), service.url, **CREDENTIALS[kind]()) as api:
        assert api.all(api.client.things.all()) == [1, 2]

    shown = [CANARY in request.target or CANARY in str(request.headers) for request in service.requests]
    by_name = [sorted({name for name, _ in request.headers}) for request in service.requests]
    assert shown[0] == shown[1]
    assert by_name[0] == by_name[1]


@pytest.mark.subjects(ours=ours, credulous=credulous)
@COLOUR
def test_s09_a_next_page_that_leads_nowhere_is_refused(
    subject: Follow, colour: str, serve: Serve, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"items": ["read"]}')
    other = serve(LAST)
    links: list[str] = []
    service = serve(answering(lambda request: items(1, then=links.pop() if links else None)))

    with Both(colour, cloud(subject), service.url, plugins=[Bearer(CANARY)]) as api:
        for link in where_it_leads_nowhere(service, other, secret):
            links[:] = [link]
            with pytest.raises(ContractError) as caught:
                api.all(api.client.things.all())
            assert CANARY not in f"{caught.value!r} {caught.value}"
            assert len(service.requests) == 1, link
            service.requests.clear()

    assert other.connections == 0


def to_its_end(api: Both) -> None:
    api.all(api.client.things.all())


def on_and_on(api: Both) -> None:
    """Broken on purpose: goes on from each token, and asks nobody whether that ends."""
    token = api.get(api.client.things()).next
    for _ in range(50):
        token = api.get(api.client.things.at(json.dumps(["things", [json.loads(token)[1][0] + "#"]]))()).next


def to_the_same(target: str) -> str:
    return "/things"


def in_a_circle(target: str) -> str:
    return "/b" if target == "/a" else "/a"


def for_ever(target: str) -> str:
    return f"{target}x"


@pytest.mark.subjects(ours=to_its_end, endless=on_and_on)
@COLOUR
@pytest.mark.parametrize(
    ("following", "most"),
    [(to_the_same, 2), (in_a_circle, 20), (for_ever, 20)],
    ids=["to the same", "in a circle", "for ever"],
)
def test_s09_pages_without_end_come_to_an_end(
    subject: Callable[[Both], None],
    following: Callable[[str], str],
    most: int,
    colour: str,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jackfield._paging, "MAX_PAGES", 20)
    service = serve(pages(following))

    with Both(colour, cloud(ours), service.url) as api, pytest.raises(ContractError):
        subject(api)

    assert len(service.requests) <= most


# --- S10: the state of a job


@pytest.mark.subjects(ours=ours, naive=naive, abroad=abroad)
@COLOUR
@PLACES
@SOME_KINDS
def test_s10_a_job_of_another_origin_is_not_asked_for(
    subject: Follow, kind: str, place: str, colour: str, serve: Serve, tls: SSLContext, authority: Any, leaks: Leaks
) -> None:
    other = serve(answering(lambda request: answer(200)))
    service = serve(jobs(link_to(other, place)), tls=tls if place == "http for https" else None)

    with Both(colour, cloud(subject), service.url, trusting(authority), **CREDENTIALS[kind]()) as api:
        with pytest.raises(ContractError, match="another origin") as caught:
            api.get(api.client.build())
        assert CANARY not in f"{caught.value!r} {caught.value}"

    assert leaks(service) != [] or CANARY in service.requests[0].target  # there was something to leak
    assert other.connections == 0


@pytest.mark.subjects(ours=ours, naive=naive, abroad=abroad)
@COLOUR
@pytest.mark.parametrize("told_by", ["operation-location", "azure-asyncoperation", "x-anything", ""])
def test_s10_it_does_not_matter_where_it_says_what_to_ask(
    subject: Follow, told_by: str, colour: str, serve: Serve
) -> None:
    other = serve(answering(lambda request: answer(200)))
    service = serve(jobs(f"{other.url}/x", told_by))

    with (
        Both(colour, cloud(subject, told_by), service.url, plugins=[Bearer(CANARY)]) as api,
        pytest.raises(ContractError),
    ):
        api.get(api.client.build())

    assert len(service.requests) == 1
    assert other.connections == 0


@pytest.mark.subjects(ours=ours, timid=timid)
@COLOUR
@SOME_KINDS
def test_s10_a_job_of_the_same_origin_is_asked_for_with_credentials(
    subject: Follow, kind: str, colour: str, serve: Serve, leaks: Leaks
) -> None:
    service = serve(jobs("/state/7"))

    with Both(colour, cloud(subject), service.url, **CREDENTIALS[kind]()) as api:
        assert api.get(api.client.build()) == 200

    started, asked = service.requests
    names = {name for name, _ in started.headers} - {"content-length"}
    assert {name for name, _ in asked.headers} == names
    assert asked.target.startswith("/state/7")
    assert (CANARY in started.target) == (CANARY in asked.target)


@pytest.mark.subjects(ours=ours, credulous=credulous)
@COLOUR
def test_s10_a_job_whose_state_is_nowhere_is_not_asked_for(
    subject: Follow, colour: str, serve: Serve, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("read")
    other = serve(LAST)
    links: list[str] = []
    service = serve(answering(lambda request: answer(202, body={"state": links.pop()}) if links else answer(200)))

    with Both(colour, cloud(subject, ""), service.url, plugins=[Bearer(CANARY)]) as api:
        for link in where_it_leads_nowhere(service, other, secret):
            links[:] = [link]
            with pytest.raises(ContractError) as caught:
                api.get(api.get(api.client.build.start()).result(timeout=0))
            assert CANARY not in f"{caught.value!r} {caught.value}"
            assert len(service.requests) == 1, link
            service.requests.clear()

    assert other.connections == 0


def waited_for(api: Both) -> None:
    api.get(api.get(api.client.build.start()).result(timeout=0.05))


def asked_again_and_again(api: Both) -> None:
    """Broken on purpose: asks for the state as long as the service says that it is not done."""
    handle = api.get(api.client.build.start())
    for _ in range(300):
        api.get(handle.poll())


@pytest.mark.subjects(ours=waited_for, patient=asked_again_and_again)
@COLOUR
def test_s10_a_job_that_is_never_done_ends_with_the_time_there_is(
    subject: Callable[[Both], None], colour: str, serve: Serve
) -> None:
    service = serve(answering(lambda request: answer(202, body={"state": "/state"})))

    with Both(colour, cloud(ours, ""), service.url) as api, pytest.raises(JobTimeoutError) as caught:
        subject(api)

    assert caught.value.job_token is not None
    assert len(service.requests) <= 100


# --- tokens: of a page, of a job, from whoever had them meanwhile


@pytest.mark.subjects(ours=ours, naive=naive, abroad=abroad)
@COLOUR
@pytest.mark.parametrize("token", ["page", "job"])
def test_s10_a_token_that_leads_to_another_origin_is_refused(
    subject: Follow, token: str, colour: str, serve: Serve
) -> None:
    other, service = serve(LAST), serve(LAST)

    with Both(colour, cloud(subject), service.url, plugins=[Bearer(CANARY)]) as api:
        if token == "page":
            planted = api.client.things.at(json.dumps(["things", [f"{other.url}/x"]]))
        else:
            planted = api.client.build.resume(json.dumps(["build", f"{other.url}/x", ""])).result
        with pytest.raises(ContractError, match="another origin"):
            api.get(planted())

    assert other.connections == service.connections == 0
