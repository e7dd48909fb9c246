"""The examples of RFC 6749, RFC 6750 and RFC 7636: case by case from their file, and those that it leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from msgspec.json import decode, encode
from tests.servers.authorization import API, TOKEN_URL

from jackfield import ContractError, Request, Response, Secret, UnauthorizedError
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import (
    ClientSecretBasic,
    ClientSecretPost,
    Grant,
    OAuth2,
    Token,
    TokenError,
    parse_challenges,
    pkce_challenge,
)
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from .conftest import World

VECTORS = decode((Path(__file__).parents[2] / "vectors" / "oauth2_bearer_pkce.json").read_bytes())
CASES: list[dict[str, Any]] = VECTORS["cases"]
SERVER = "https://server.example.com"


def form(request: Request) -> dict[str, str]:
    assert isinstance(request.body, bytes)
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))


def oauth(case: dict[str, Any], **options: Any) -> OAuth2:
    """What a user writes to have that request sent."""
    kind: Any = {"basic": ClientSecretBasic, "body": ClientSecretPost}[case["auth"]]
    fields = case.get("request", {}).get("form", {"grant_type": "client_credentials"})
    credentials = {"client_id", "client_secret"}
    grant = Grant({name: value for name, value in fields.items() if name not in credentials})
    return OAuth2(f"{SERVER}/token", grant, client=kind(*case["client"]), **options)


REQUESTS = [case for case in CASES if "client" in case]


@pytest.mark.parametrize("case", REQUESTS, ids=lambda case: case["name"])
def test_a_token_request_is_the_examples(world: World, case: dict[str, Any]) -> None:
    token = case.get("response", {}).get("json", {"access_token": "t", "token_type": "Bearer"})
    transport = FakeTransport([Response(200, body=encode(token)), Response(200, body=b'{"token": ""}')])
    auth = oauth(case, scheme=token["token_type"])

    world.get(world.client(auth, transport=transport).thing())

    request, thing = transport.requests
    wanted = case.get("request", {"method": "POST", "path": "/token", "headers": {}, "form": form(request)})
    assert (request.method, request.target, form(request)) == (wanted["method"], wanted["path"], wanted["form"])
    assert {name: request.headers[name] for name in wanted["headers"]} == wanted["headers"]
    assert ("authorization" in request.headers) == (case["auth"] == "basic")
    assert request.headers.get("authorization") == wanted["headers"].get("Authorization", case.get("authorization"))
    assert thing.headers["authorization"] == f"{token['token_type']} {token['access_token']}"


ERRORS = [case for case in CASES if case.get("response", {}).get("status", 200) >= 400]


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case["name"])
def test_an_error_is_typed_and_nothing_is_tried_again(world: World, case: dict[str, Any]) -> None:
    answer = case["response"]
    transport = FakeTransport(otherwise=Response(answer["status"], answer["headers"], encode(answer["json"])))
    api = world.client(OAuth2(TOKEN_URL, Grant.client_credentials()), Retry(), transport=transport)

    with pytest.raises(TokenError) as caught:
        world.get(api.thing())

    assert (caught.value.status, caught.value.code) == (answer["status"], answer["json"]["error"])
    assert len(transport.requests) == 1
    assert world.runtime.sleeps == []


BEARERS = [case for case in CASES if "token" in case]


@pytest.mark.parametrize("case", BEARERS, ids=lambda case: case["name"])
def test_a_token_is_sent_as_the_example_has_it(world: World, case: dict[str, Any]) -> None:
    api = world.client(OAuth2(TOKEN_URL, token=Token(Secret(case["token"]))))

    assert world.get(api.thing.request()).headers.get_all("authorization") == [case["authorization"]]


CHALLENGES = [case for case in CASES if "www_authenticate" in case]


@pytest.mark.parametrize("case", CHALLENGES, ids=lambda case: case["name"])
def test_a_challenge_is_read_and_answered_once(world: World, case: dict[str, Any]) -> None:
    parsed = [[challenge.scheme, challenge.params] for challenge in parse_challenges([case["www_authenticate"]])]
    rejected = Response(401, {"www-authenticate": case["www_authenticate"]})
    transport = FakeTransport(
        otherwise=lambda request: rejected if str(request.url).startswith(API) else world.server(request)
    )
    api = world.client(OAuth2(TOKEN_URL, Grant.password("ada", "p")), Retry(), transport=transport)

    with pytest.raises(UnauthorizedError) as caught:
        world.get(api.thing())

    assert parsed == [[scheme.lower(), params] for scheme, params in case["parsed"]]
    assert not isinstance(caught.value, TokenError)
    assert world.server.asked == {"password": 1, "refresh_token": 1}
    assert [request.url.path for request in transport.requests] == ["/token", "/thing"] * 2


def test_every_case_of_the_file_is_used() -> None:
    used = {case["name"] for case in (*REQUESTS, *ERRORS, *BEARERS, *CHALLENGES)}

    assert used == {case["name"] for case in CASES}
    assert len(CASES) == VECTORS["count"]


# --- what the file leaves out


def test_the_code_of_rfc_6749_4_1_3_is_exchanged(world: World) -> None:
    answer = encode({"access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "example", "expires_in": 3600})
    transport = FakeTransport([Response(200, body=answer), Response(200, body=b'{"token": ""}')])
    grant = Grant.authorization_code(
        "SplxlOBeZQQYbYS6WxSbIA", "https://client.example.com/cb", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    client = ClientSecretBasic("s6BhdRkqt3", "gX1fBat3bV")
    auth = OAuth2(f"{SERVER}/token", grant, client=client, scheme="example")

    world.get(world.client(auth, transport=transport).thing())

    request = transport.requests[0]
    assert request.body == (
        b"grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA"
        b"&redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb"
        b"&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    assert request.headers["authorization"] == "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"


def test_the_refresh_of_rfc_6749_6_is_sent(world: World) -> None:
    transport = FakeTransport(
        [
            Response(200, body=encode({"access_token": "t", "token_type": "Bearer"})),
            Response(200, body=b'{"token": ""}'),
        ]
    )
    now = world.runtime.now()
    token = Token(Secret("old"), "Bearer", now, now, Secret("tGzv3JOkF0XG5Qx2TlKWIA"))
    auth = OAuth2(f"{SERVER}/token", client=ClientSecretBasic("s6BhdRkqt3", "gX1fBat3bV"), token=token)

    world.get(world.client(auth, transport=transport).thing())

    request = transport.requests[0]
    assert request.body == b"grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA"
    assert request.headers["authorization"] == "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_the_challenge_of_rfc_7636_appendix_b_is_had() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    assert pkce_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    "code",
    [
        *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"),
        *("invalid_scope", "of_its_own"),
    ],
)
def test_the_errors_of_rfc_6749_5_2_are_told_with_what_to_do(world: World, code: str) -> None:
    said = {"error": code, "error_description": "no", "error_uri": "https://h/"}
    world.server.answers = [Response(400, {"cache-control": "no-store"}, encode(said))]
    api = world.client(OAuth2(TOKEN_URL, Grant.client_credentials()), Retry())

    with pytest.raises(TokenError) as caught:
        world.get(api.thing())

    assert (caught.value.status, caught.value.code, caught.value.text) == (400, code, "no")
    assert f'{code}, "no"; ' in str(caught.value)
    assert len(world.server.fields) == 1


# RFC 6750 §2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
@pytest.mark.parametrize("token", ["a", "a==", "A-Z._~+/9=", "x" * 5000])
def test_every_bearer_token_is_sent_as_it_is(world: World, token: str) -> None:
    world.server.answers = [Response(200, body=encode({"access_token": token, "token_type": "bearer"}))]
    transport = FakeTransport(
        otherwise=lambda request: (
            Response(200, body=b'{"token": ""}') if str(request.url).startswith(API) else world.server(request)
        )
    )

    world.get(world.client(OAuth2(TOKEN_URL, Grant.client_credentials()), transport=transport).thing())

    assert transport.requests[1].headers.get_all("authorization") == [f"Bearer {token}"]


@pytest.mark.parametrize("token", ["", "\r\nx-evil: 1", "a\nb", "a\x00", "ü", "a\x7f", "\u010a"], ids=repr)
def test_a_bearer_token_that_no_header_can_carry_is_an_error_of_ours(world: World, token: str) -> None:
    world.server.answers = [Response(200, body=encode({"access_token": token, "token_type": "Bearer"}))]

    with pytest.raises(ContractError):
        world.get(world.client(OAuth2(TOKEN_URL, Grant.client_credentials())).thing())

    assert [request.url.path for request in world.transport.requests] == ["/token"]
