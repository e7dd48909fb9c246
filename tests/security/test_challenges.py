"""S11 and S12: challenges that are not answered, and challenges that are answered once, and not by something weaker."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import Call, JackfieldError, Proceed, Redirects, Request, Response, Stage, Step, hookimpl
from jackfield._reference import resolve
from jackfield_plugins.auth import Basic, Bearer, Digest
from jackfield_plugins.signing import STANDARD_WEBHOOKS, HmacSigning

if TYPE_CHECKING:
    from tests.security.conftest import Caller
    from tests.servers import ReceivedRequest, Script, ScriptedServer, Serve

Leaks = Callable[["ScriptedServer"], list[str]]
CANARY = "hunter2-canary"
PAIR = b64encode(f"{CANARY}:{CANARY}".encode()).decode()
BASIC = 'Basic realm="r"'
MD5 = 'Digest realm="r", qop="auth", algorithm=MD5, nonce="n"'
SHA = 'Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n"'


class Obliging:
    """Broken on purpose: answers whatever challenge comes, of whoever, by the first scheme offered, again and again."""

    name = "auth"

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.AUTH, self.run)]

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        response = await proceed(request, call)
        for _ in range(5):
            asked = next((name for name in ("www-authenticate", "proxy-authenticate") if name in response.headers), "")
            if not asked:
                break
            offer = response.headers[asked].replace("Digest ", f'Digest username="{CANARY}", ')
            header = "authorization" if asked == "www-authenticate" else "proxy-authorization"
            said = f"Basic {PAIR}" if offer.startswith("Basic") else offer
            response = await proceed(request.with_headers(request.headers.replacing(header, said)), call)
        return response


class Rebinding:
    """Broken on purpose: each origin that a redirect leads to is the service's."""

    name = "redirect"

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.REDIRECT, self.run)]

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        response = await proceed(request, call)
        following = resolve(request, response.headers["location"]).on(request)
        call.origin = following.url.origin
        return await proceed(following, call)


AUTH: dict[str, Callable[[], object]] = {
    "basic": lambda: Basic(CANARY, CANARY),
    "digest": lambda: Digest(CANARY, CANARY),
    "bearer": lambda: Bearer(CANARY),
}


def answer(status: int, *headers: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} X", "Content-Length: 0", *headers))
    return head.encode("latin-1") + b"\r\n"


def answering(respond: Callable[[ReceivedRequest], bytes]) -> Script:
    def script(peer: Any) -> None:
        for request in peer.requests():
            peer.send(respond(request))

    return script


def always(status: int, *challenges: str, header: str = "WWW-Authenticate") -> Script:
    return answering(lambda request: answer(status, *(f"{header}: {challenge}" for challenge in challenges)))


def refused(caller: Caller, url: str, *plugins: object) -> JackfieldError:
    """One request that fails."""
    with pytest.raises(JackfieldError) as error:
        caller.ask(url, plugins)
    return error.value


@pytest.mark.subjects(ours=Redirects(), rebinding=Rebinding())
@pytest.mark.parametrize("challenges", [(BASIC,), (SHA,), (MD5, SHA), ("Bearer",), (BASIC, SHA, "Bearer")], ids=str)
@pytest.mark.parametrize("scheme", AUTH)
def test_s11_the_challenge_of_another_origin_is_not_answered(
    subject: Any, scheme: str, challenges: tuple[str, ...], serve: Serve, caller: Caller, leaks: Leaks
) -> None:
    if scheme == "digest" and not any("Digest" in challenge for challenge in challenges):
        challenges = (*challenges, SHA)  # nothing else would tempt it
    other = serve(always(401, *challenges))
    service = serve(answering(lambda request: answer(302, f"Location: {other.url}/x")))

    refused(caller, service.url, AUTH[scheme](), subject)

    assert leaks(other) == []
    assert len(other.requests) == 1


@pytest.mark.subjects(ours=AUTH, obliging=dict.fromkeys(AUTH, Obliging))
@pytest.mark.parametrize("challenge", [BASIC, SHA, "Bearer"])
@pytest.mark.parametrize("scheme", AUTH)
def test_s11_who_is_no_proxy_gets_no_proxy_credentials(
    subject: dict[str, Callable[[], object]], scheme: str, challenge: str, serve: Serve, caller: Caller
) -> None:
    service = serve(always(407, challenge, header="Proxy-Authenticate"))

    error = refused(caller, service.url, subject[scheme]())

    assert getattr(error, "status", None) == 407  # and not one of the core, which lets no such header out
    assert [request.get_all("proxy-authorization") for request in service.requests] == [[]]


STRONG: dict[str, Callable[[], object]] = {
    "digest": AUTH["digest"],
    "hmac": lambda: HmacSigning(STANDARD_WEBHOOKS, "whsec_" + b64encode(CANARY.encode()).decode()),
}


@pytest.mark.subjects(ours=STRONG, obliging=dict.fromkeys(STRONG, Obliging))
@pytest.mark.parametrize("challenges", [(BASIC,), (BASIC, 'Bearer realm="r"'), (f"{BASIC}, Bearer",)], ids=str)
@pytest.mark.parametrize("scheme", STRONG)
def test_s12_an_offer_of_basic_is_not_taken_by_a_stronger_scheme(
    subject: dict[str, Callable[[], object]], scheme: str, challenges: tuple[str, ...], serve: Serve, caller: Caller
) -> None:
    service = serve(always(401, *challenges))

    refused(caller, service.url, subject[scheme]())

    assert len(service.requests) == 1
    assert service.requests[0].get_all("authorization") == []


@pytest.mark.subjects(ours=AUTH["digest"], obliging=Obliging)
@pytest.mark.parametrize("challenges", [(MD5, SHA), (f"{MD5}, {SHA}",), (BASIC, MD5, SHA)], ids=str)
def test_s12_the_strongest_digest_that_is_offered_is_taken(
    subject: Callable[[], object], challenges: tuple[str, ...], serve: Serve, caller: Caller
) -> None:
    def respond(request: ReceivedRequest) -> bytes:
        told = request.get_all("authorization")
        return answer(200) if told else answer(401, *(f"WWW-Authenticate: {challenge}" for challenge in challenges))

    service = serve(answering(respond))

    caller.ask(service.url, [subject()])

    algorithms = [re.findall(r"algorithm=\"?([\w-]+)", told) for told in service.requests[-1].get_all("authorization")]
    assert algorithms == [["SHA-256"]]


@pytest.mark.subjects(ours=AUTH["digest"], obliging=Obliging)
@pytest.mark.parametrize("algorithm", ["none", "", "SHA-3", "MD5-none", "HS256", "sha256"])
def test_s12_an_algorithm_that_nobody_knows_is_not_answered(
    subject: Callable[[], object], algorithm: str, serve: Serve, caller: Caller
) -> None:
    service = serve(always(401, f'Digest realm="r", qop="auth", algorithm="{algorithm}", nonce="n"'))

    refused(caller, service.url, subject())

    assert [request.get_all("authorization") for request in service.requests] == [[]]


@pytest.mark.subjects(ours=AUTH["digest"], obliging=Obliging)
@pytest.mark.parametrize(("stale", "most"), [("", 2), (", stale=false", 2), (", stale=true", 3)])
@pytest.mark.parametrize("fresh", [True, False], ids=["new nonces", "the same nonce"])
def test_s12_a_service_that_is_never_content_is_asked_again_once_and_for_a_stale_nonce_twice(
    subject: Callable[[], object], fresh: bool, stale: str, most: int, serve: Serve, caller: Caller
) -> None:
    def respond(request: ReceivedRequest) -> bytes:
        nonces.append(f"n{len(nonces) if fresh else 0}")
        return answer(
            401, f'WWW-Authenticate: Digest realm="r", qop="auth", algorithm=SHA-256, nonce="{nonces[-1]}"{stale}'
        )

    nonces: list[str] = []
    service = serve(answering(respond))

    refused(caller, service.url, subject())

    assert 2 <= len(service.requests) <= most


@pytest.mark.subjects(ours=AUTH, obliging=dict.fromkeys(AUTH, Obliging))
@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_s12_credentials_that_were_refused_are_not_sent_again(
    subject: dict[str, Callable[[], object]], scheme: str, serve: Serve, caller: Caller
) -> None:
    service = serve(always(401, BASIC, SHA, "Bearer"))

    refused(caller, service.url, subject[scheme]())

    assert len(service.requests) == 1
