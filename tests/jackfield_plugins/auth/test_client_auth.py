"""How a client proves who it is: each way as its RFC has it, and the secret shown nowhere."""

from __future__ import annotations

import pickle
from base64 import b64decode, b64encode
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import decode, encode
from tests.servers.authorization import TOKEN_URL

from jackfield import ConfigurationError, Request, Response, Runtime, Secret, UsageError
from jackfield.testing import VirtualSyncRuntime
from jackfield_plugins.auth import (
    ClientAuth,
    ClientSecretBasic,
    ClientSecretPost,
    Credentials,
    Grant,
    JwtAssertion,
    OAuth2,
    PrivateKeyJwt,
    PublicClient,
    TokenError,
)
from jackfield_plugins.auth._endpoint import Endpoint

if TYPE_CHECKING:
    from .conftest import World

CANARY = "hunter2-canary"
RUNTIME = VirtualSyncRuntime()
TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=10)
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ROBOT = Grant.client_credentials()


def sent(client: ClientAuth | None, *, as_json: bool = False) -> Request:
    return Endpoint(TOKEN_URL, client, as_json=as_json).request(ROBOT.values(RUNTIME), RUNTIME).request


def form(request: Request) -> dict[str, str]:
    assert isinstance(request.body, bytes)
    return dict(parse_qsl(request.body.decode("ascii"), keep_blank_values=True))


def test_a_public_client_names_itself_in_the_body() -> None:
    request = sent(PublicClient("tool"))

    assert form(request) == {"grant_type": "client_credentials", "client_id": "tool"}
    assert "authorization" not in request.headers


def test_no_client_is_no_field() -> None:
    assert form(sent(None)) == {"grant_type": "client_credentials"}


def test_a_secret_in_the_header_is_not_in_the_body() -> None:
    request = sent(ClientSecretBasic("s6BhdRkqt3", "gX1fBat3bV"))

    assert request.headers["authorization"] == "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"
    assert form(request) == {"grant_type": "client_credentials"}


def test_a_secret_in_the_body_is_not_in_the_header() -> None:
    request = sent(ClientSecretPost("id", "a&b=c d+%"))

    assert request.body == b"grant_type=client_credentials&client_id=id&client_secret=a%26b%3Dc+d%2B%25"
    assert "authorization" not in request.headers


@given(TEXT, TEXT)
@settings(deadline=None, max_examples=100)
def test_id_and_secret_are_read_again_whatever_they_hold(client_id: str, secret: str) -> None:
    basic = sent(ClientSecretBasic(client_id, secret)).headers["authorization"].removeprefix("Basic ")
    name, _, password = b64decode(basic, validate=True).decode("ascii").partition(":")
    post = sent(ClientSecretPost(client_id, secret), as_json=True).body

    assert (unquote_plus(name), unquote_plus(password)) == (client_id, secret)
    assert isinstance(post, bytes)
    assert decode(post) == {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}


def test_an_assertion_is_made_for_each_request(world: World) -> None:
    def assertion(runtime: Runtime) -> str:
        assert runtime is world.runtime
        return f"assertion-{next(number)}"

    number = count(1)
    world.server.refreshes = False
    api = world.client(OAuth2(TOKEN_URL, ROBOT, client=PrivateKeyJwt("tool", assertion)))
    for _ in range(2):
        world.get(api.thing())
        world.runtime.elapsed += 4000

    assert world.server.fields == [
        {
            "grant_type": "client_credentials",
            "client_id": "tool",
            "client_assertion_type": JWT_BEARER,
            "client_assertion": f"assertion-{n}",
        }
        for n in (1, 2)
    ]


def test_a_signed_assertion_proves_the_client() -> None:
    import jwt

    key = CANARY * 3
    client = PrivateKeyJwt(
        "tool", JwtAssertion(key, issuer="tool", subject="tool", audience=TOKEN_URL, algorithm="HS256")
    )

    fields = form(sent(client))

    # RFC 7523 §3: iss, sub, aud, exp; for a client's own proof the first two are its id
    options: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(fields["client_assertion"], key, ["HS256"], audience=TOKEN_URL, options=options)
    assert (claims["iss"], claims["sub"], claims["exp"]) == ("tool", "tool", RUNTIME.now() + 300)
    assert CANARY not in f"{vars(client)} {client.credentials(RUNTIME)!r}"


@pytest.mark.parametrize("client_id", ["", None, 5, b"id", "a\nb", "a\x00b", "\ud800", Secret("id")], ids=repr)
def test_a_client_without_a_name_is_refused_at_once(client_id: Any) -> None:
    makers: list[Any] = [
        lambda: PublicClient(client_id),
        lambda: ClientSecretBasic(client_id, CANARY),
        lambda: ClientSecretPost(client_id, CANARY),
        lambda: PrivateKeyJwt(client_id, lambda runtime: CANARY),
    ]
    for make in makers:
        with pytest.raises(ConfigurationError, match="client_id"):
            make()


@pytest.mark.parametrize("secret", ["", None, 5, b"s", f"{CANARY}\n", f"{CANARY}\ud800"], ids=repr)
def test_a_secret_that_cannot_be_one_is_refused_at_once_and_not_shown(secret: Any) -> None:
    for kind in (ClientSecretBasic, ClientSecretPost):
        with pytest.raises(UsageError) as caught:
            kind("id", secret)
        assert CANARY not in f"{caught.value!r} {caught.value}"
        assert caught.value.__cause__ is None


def test_an_assertion_that_is_a_text_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="JwtAssertion"):
        PrivateKeyJwt("id", CANARY)  # type: ignore[arg-type] # wrong on purpose


KINDS = [
    ClientSecretBasic("id", CANARY),
    ClientSecretPost("id", Secret(CANARY)),
    PrivateKeyJwt("id", lambda runtime: CANARY),
]


@pytest.mark.parametrize("client", KINDS, ids=lambda client: type(client).__name__)
def test_a_clients_secret_is_not_to_be_seen(client: Any) -> None:
    request = Endpoint(TOKEN_URL, client).request({}, RUNTIME)

    shown = f"{client!r} {client} {vars(client)} {client.credentials(RUNTIME)!r} {request!r} {request.request!r}"
    shown += f"{request.request.url} {request.request.target} {request.request.headers!r}"

    assert CANARY not in shown
    assert b64encode(f"id:{CANARY}".encode()).decode() not in shown
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(client)


@pytest.mark.parametrize("client", KINDS, ids=lambda client: type(client).__name__)
def test_a_service_that_repeats_it_does_not_make_it_seen(world: World, client: Any) -> None:
    basic = b64encode(f"id:{CANARY}".encode()).decode()
    said = {"error": f"Basic {basic}", "error_description": f"{CANARY} {basic}"}
    world.server.answers = [Response(401, {"www-authenticate": f"Basic {basic}"}, encode(said))]
    api = world.client(OAuth2(TOKEN_URL, ROBOT, client=client))

    with pytest.raises(TokenError) as caught:
        world.get(api.thing())

    shown = f"{caught.value!r} {caught.value} {vars(caught.value)}"
    assert CANARY not in shown
    assert isinstance(client, ClientSecretPost | PrivateKeyJwt) or basic not in shown


def test_a_client_of_ones_own_may_put_what_it_wants_where_it_wants(world: World) -> None:
    class Own(NamedTuple):
        client_id: str

        def credentials(self, runtime: Runtime) -> Credentials:
            return Credentials(
                {"client_id": self.client_id, "proof": Secret(CANARY)},
                {"x-proof": Secret("hunter2-header"), "content-type": "text/plain"},
                (Secret("hunter2-other"),),
            )

    world.server.answers = [
        Response(400, body=encode({"error": CANARY, "error_description": "hunter2-other hunter2-header"}))
    ]
    api = world.client(OAuth2(TOKEN_URL, Grant({"grant_type": "x", "client_id": "not this"}), client=Own("own")))

    with pytest.raises(TokenError) as caught:
        world.get(api.thing())

    request = world.transport.requests[0]
    assert form(request) == {"grant_type": "x", "client_id": "own", "proof": CANARY}
    assert request.headers["x-proof"] == "hunter2-header"
    assert request.headers.get_all("content-type") == ["application/x-www-form-urlencoded"]
    assert (caught.value.code, caught.value.text) == ("***", "*** ***")
