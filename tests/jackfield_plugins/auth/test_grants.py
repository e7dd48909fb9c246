"""Grants and the token endpoint: what is asked for goes out as it is meant, and shows itself nowhere."""

from __future__ import annotations

import copy
import pickle
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import decode, encode
from tests.servers.authorization import TOKEN_URL

from jackfield import ConfigurationError, JackfieldError, Request, Response, Runtime, Secret, UsageError
from jackfield.testing import FakeTransport, VirtualSyncRuntime
from jackfield_plugins.auth import ClientSecretPost, Grant, MemoryTokenStore, OAuth2, Token, TokenError
from jackfield_plugins.auth._endpoint import Endpoint

if TYPE_CHECKING:
    from .conftest import World

CANARY = "hunter2-canary"
RUNTIME = VirtualSyncRuntime()
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=10)
ROBOT = {"grant_type": "robot_credentials", "id": "r2d2"}


def sent(grant: Grant, url: str = TOKEN_URL, *, as_json: bool = False) -> Request:
    """The token request of this grant."""
    return Endpoint(url, None, as_json=as_json).request(grant.values(RUNTIME), RUNTIME).request


def form(request: Request) -> dict[str, str]:
    assert isinstance(request.body, bytes)
    pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def asked(world: World) -> list[Request]:
    return [request for request in world.transport.requests if request.url.path == "/token"]


# --- what goes out


@pytest.mark.parametrize(
    ("grant", "fields"),
    [
        (Grant.client_credentials(), {"grant_type": "client_credentials"}),
        (Grant.client_credentials("a b"), {"grant_type": "client_credentials", "scope": "a b"}),
        (Grant.password("ada", "p"), {"grant_type": "password", "username": "ada", "password": "p"}),
        (
            Grant.password("ada", Secret("p"), "all"),
            {"grant_type": "password", "username": "ada", "password": "p", "scope": "all"},
        ),
        (
            Grant.refresh_token("r", "less"),
            {"grant_type": "refresh_token", "refresh_token": "r", "scope": "less"},
        ),
        (
            Grant.authorization_code("c", "myapp:/cb", "v"),
            {"grant_type": "authorization_code", "code": "c", "redirect_uri": "myapp:/cb", "code_verifier": "v"},
        ),
        (
            Grant.jwt_bearer(lambda runtime: "e30.e30.c2ln", "all"),
            {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": "e30.e30.c2ln",
                "scope": "all",
            },
        ),
        (Grant(ROBOT | {"secret": Secret("s")}), ROBOT | {"secret": "s"}),
    ],
    ids=repr,
)
def test_each_grant_sends_its_own_fields(grant: Grant, fields: dict[str, str]) -> None:
    as_form, as_json = sent(grant), sent(grant, as_json=True)

    assert form(as_form) == fields
    assert isinstance(as_json.body, bytes)
    assert decode(as_json.body) == fields
    assert as_form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert as_json.headers["content-type"] == "application/json"
    assert {as_form.method, as_json.method} == {"POST"}
    assert {request.headers["accept"] for request in (as_form, as_json)} == {"application/json"}


# RFC 6749 Appendix B, as the WHATWG's URL standard has it
@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        *((" ", b"+"), ("+", b"%2B"), ("&", b"%26"), ("=", b"%3D"), ("%", b"%25"), ("%41", b"%2541")),
        *(("é", b"%C3%A9"), ("£€", b"%C2%A3%E2%82%AC"), ("😀", b"%F0%9F%98%80"), ("/?#:;", b"%2F%3F%23%3A%3B")),
        ('"\\', b"%22%5C"),
    ],
)
def test_odd_values_are_encoded_as_a_form_has_them(value: str, encoded: bytes) -> None:
    assert sent(Grant({"grant_type": "x", "v": value})).body == b"grant_type=x&v=" + encoded
    assert form(sent(Grant({"grant_type": "x", value: "v"})))[value] == "v"


def test_an_empty_value_is_sent_empty() -> None:
    assert sent(Grant({"grant_type": "x", "v": ""})).body == b"grant_type=x&v="


@given(st.dictionaries(TEXT.map("{}!".format), TEXT, max_size=4), st.booleans())
@settings(deadline=None, max_examples=100)
def test_whatever_is_sent_is_read_again(fields: dict[str, str], as_json: bool) -> None:
    fields = fields | {"grant_type": "x"}

    request = sent(Grant(fields), as_json=as_json)

    assert isinstance(request.body, bytes)
    assert (decode(request.body) if as_json else form(request)) == fields


def test_a_function_is_called_for_each_request(world: World) -> None:
    def assertion(runtime: Runtime) -> str:
        assert runtime is world.runtime
        return f"assertion-{next(number)}"

    number = count(1)
    world.server.refreshes = False
    api = world.client(OAuth2(TOKEN_URL, Grant.jwt_bearer(assertion)))
    for _ in range(3):
        world.get(api.thing())
        world.runtime.elapsed += 4000

    assert [fields["assertion"] for fields in world.server.fields] == ["assertion-1", "assertion-2", "assertion-3"]


def test_a_services_own_grant_is_sent_as_json(world: World) -> None:
    world.server.refreshes = False
    grant = Grant(ROBOT | {"secret": Secret("s")})
    api = world.client(OAuth2(TOKEN_URL, grant, as_json=True))

    assert world.get(api.thing()) == "access-1"
    world.runtime.elapsed += 4000
    assert world.get(api.thing()) == "access-2"
    assert world.server.fields == [ROBOT | {"secret": "s"}] * 2
    assert "authorization" not in asked(world)[0].headers


def test_what_is_changed_later_is_not_sent() -> None:
    fields = dict(ROBOT)
    grant = Grant(fields)
    fields["id"] = "c3po"

    assert form(sent(grant)) == ROBOT


def test_a_refresh_sends_the_refresh_token_and_no_part_of_the_grant(world: World) -> None:
    api = world.client(OAuth2(TOKEN_URL, Grant.password("ada", "p", "all"), client=ClientSecretPost("id", "s")))
    world.get(api.thing())
    world.runtime.elapsed += 4000
    world.get(api.thing())

    assert world.server.fields[1] == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-2",
        "client_id": "id",
        "client_secret": "s",
    }


# --- where it goes


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("", "/token"),
        ("?a=1", "/token?a=1"),
        ("?a=1&a=2&b=", "/token?a=1&a=2&b="),
        ("?flag", "/token?flag="),
        ("?q=a%20b%26c+d", "/token?q=a%20b%26c%20d"),
    ],
)
def test_a_query_of_the_endpoint_is_kept(query: str, target: str) -> None:
    request = sent(Grant(ROBOT), TOKEN_URL + query)

    assert request.target == target
    assert form(request) == ROBOT


@pytest.mark.parametrize(
    "url",
    [
        *("", "token", "/token", "//h/token", "ftp://h/token", "https://", "https:///token", "https://h:x/token"),
        *(f"https://u:{CANARY}@h/token", f"https://{CANARY}@h/token?a=1"),
        *("https://h/token#f", "https://h/token?a=1#f", "https://h/token?#", "https://h/tö", "https://h/token?ö=1"),
        *("https://h/to ken", "https://h/token?a=\n", "https://h/token\n", "https://h/token?\x00"),
        *(None, 5, b"https://h/token", ["https://h/token"]),
    ],
    ids=repr,
)
def test_an_endpoint_that_is_no_url_is_refused_at_once(url: Any) -> None:
    with pytest.raises(UsageError) as caught:
        OAuth2(url, Grant(ROBOT))

    assert CANARY not in str(caught.value)


# --- what is refused


@pytest.mark.parametrize(
    "fields",
    [
        *({}, {"grant_type": ""}, {"grant_type": None}, {"grant_type": Secret("x")}, {"grant_type": 5}),
        *({"grant_type": "x", "n": 5}, {"grant_type": "x", "n": None}, {"grant_type": "x", "n": [CANARY]}),
        *({"grant_type": "x", "n": CANARY.encode()}, {"grant_type": "x", "": "v"}, {"grant_type": "x", 5: "v"}),
        *({"grant_type": "x", "n": f"{CANARY}\n"}, {"grant_type": "x", "n": Secret(f"{CANARY}\x00")}),
        *({"grant_type": "x", "n": f"{CANARY}\ud800"}, {"grant_type": "x", "n": Secret(f"{CANARY}\ud800")}),
    ],
    ids=repr,
)
def test_a_grant_that_cannot_be_sent_is_refused_at_once(fields: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Grant(fields)

    assert CANARY not in repr(caught.value) + str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("made", [None, 5, b"x", "", "a\nb", "\ud800"], ids=repr)
def test_a_function_that_makes_nothing_that_can_be_sent_is_an_error_of_ours(world: World, made: Any) -> None:
    api = world.client(OAuth2(TOKEN_URL, Grant.jwt_bearer(lambda runtime: made)))

    with pytest.raises(UsageError):
        world.get(api.thing())

    assert world.transport.requests == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: Grant.password(5, "p"),  # type: ignore[arg-type] # wrong on purpose
        lambda: Grant.password("ada", ""),
        lambda: Grant.password("ada", None),  # type: ignore[arg-type] # wrong on purpose
        lambda: Grant.client_credentials(["a"]),  # type: ignore[arg-type] # wrong on purpose
        lambda: Grant.refresh_token(""),
        lambda: Grant({"grant_type": "x", "secret": ""}),
        lambda: Grant.authorization_code("", "myapp:/cb", "v"),
        lambda: Grant.authorization_code("c", None, "v"),  # type: ignore[arg-type] # wrong on purpose
        lambda: OAuth2(TOKEN_URL, "client_credentials"),  # type: ignore[arg-type] # wrong on purpose
        lambda: OAuth2(TOKEN_URL, Grant(ROBOT), client=("id", "secret")),  # type: ignore[arg-type] # wrong on purpose
        lambda: OAuth2(TOKEN_URL, Grant(ROBOT), store="/tokens"),  # type: ignore[arg-type] # wrong on purpose
        lambda: OAuth2(TOKEN_URL, token="abc"),  # type: ignore[arg-type] # wrong on purpose
        lambda: OAuth2(TOKEN_URL, Grant(ROBOT), rejected=True),  # type: ignore[arg-type] # wrong on purpose
        lambda: OAuth2(TOKEN_URL, Grant(ROBOT), scheme="a b"),
        lambda: OAuth2(TOKEN_URL),
    ],
)
def test_arguments_of_another_kind_are_refused_at_once(make: Any) -> None:
    with pytest.raises(UsageError):
        make()


# --- what is shown


SECRETIVE = [
    Grant.password("ada", CANARY),
    Grant.refresh_token(CANARY),
    Grant.authorization_code(CANARY, "myapp:/cb", CANARY),
    Grant.jwt_bearer(lambda runtime: CANARY),
    Grant(ROBOT | {"secret": Secret(CANARY)}),
    *(
        Grant(ROBOT | {name: CANARY})
        for name in ("secret", "client_secret", "Password", "apiKey", "api_key", "subject_token", "pin", "passphrase")
    ),
]


def everything(found: Any, seen: set[int]) -> str:
    """All that can be read off an object without asking a Secret."""
    if id(found) in seen or isinstance(found, Secret | type):
        return ""
    seen.add(id(found))
    kind: Any = found.__class__
    inner: list[Any] = [getattr(found, name, None) for name in getattr(kind, "__slots__", ())]
    inner += getattr(found, "__dict__", {}).values()
    if kind in (dict, list, tuple):
        inner += found.values() if kind is dict else found
    return f"{found!r} {found!s}" + "".join(everything(part, seen) for part in inner if not callable(part))


@pytest.mark.parametrize("grant", SECRETIVE, ids=repr)
def test_a_secret_of_a_grant_is_not_to_be_seen(grant: Grant) -> None:
    auth = OAuth2(TOKEN_URL, grant, client=ClientSecretPost("id", CANARY))
    endpoint = Endpoint(TOKEN_URL, ClientSecretPost("id", CANARY))

    shown = everything([auth, grant.public, grant.values(RUNTIME), endpoint, endpoint.client], set())
    shown += repr(endpoint.request(grant.values(RUNTIME), RUNTIME))

    assert CANARY not in shown
    assert "id" in shown
    assert CANARY in repr(form(sent(grant)))


@pytest.mark.parametrize("grant", [grant for grant in SECRETIVE if not grant.name.endswith("jwt-bearer")], ids=repr)
def test_a_grant_with_a_secret_is_not_pickled(grant: Grant) -> None:
    with pytest.raises(TypeError, match="a Secret is not pickled"):
        pickle.dumps(grant)

    assert form(sent(copy.deepcopy(grant))) == form(sent(grant))


@pytest.mark.parametrize("grant", SECRETIVE, ids=repr)
def test_a_service_that_repeats_a_secret_does_not_make_it_seen(world: World, grant: Grant) -> None:
    body = next(value.reveal() for value in grant.values(world.runtime).values() if isinstance(value, Secret))
    said = {"error": body, "error_description": f"q={body}"}
    world.server.answers = [Response(400, body=encode(said))]
    api = world.client(OAuth2(TOKEN_URL, grant))

    with pytest.raises(TokenError) as caught:
        world.get(api.thing())

    assert CANARY not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


def test_nor_in_the_form_that_it_is_sent_in(world: World) -> None:
    world.server.answers = [
        Response(400, body=encode({"error": "hunter2+%C3%BC", "error_description": "hunter2 ü, hunter2"}))
    ]
    api = world.client(OAuth2(TOKEN_URL, Grant({"grant_type": "x", "secret": "hunter2 ü", "pin": "hunter2"})))

    with pytest.raises(TokenError) as caught:
        world.get(api.thing())

    assert (caught.value.code, caught.value.text) == ("***", "***, ***")


def test_a_grant_says_what_it_is_of() -> None:
    assert repr(Grant(ROBOT | {"secret": Secret("s")})) == "<Grant robot_credentials: grant_type, id, secret>"


# --- whose token it is


def test_a_grant_tells_whose_token_it_is_by_what_is_no_secret() -> None:
    named = [Grant.client_credentials("all"), Grant.password("ada", "p"), Grant(ROBOT | {"secret": "s"})]
    exchange = {"grant_type": "token-exchange", "subject_token": "t", "subject_token_type": "jwt", "audience": "hub"}
    unnamed = [
        Grant(exchange),  # RFC 8693: who it is for stands in the token alone
        Grant({"grant_type": "x", "client_id": "app", "assertion": lambda runtime: "a"}),
        Grant({"grant_type": "x", "id": "r2", "region": "eu", "secret": "s"}),  # and in another region?
        Grant.refresh_token("r", "all"),
        Grant.authorization_code("c", "myapp:/cb", "v"),
        Grant.jwt_bearer(lambda runtime: "a", "all"),
        Grant({"grant_type": "x", "api_key": "k"}),
    ]

    assert [grant.is_named for grant in named] == [True] * 3
    assert [grant.is_named for grant in unnamed] == [False] * 7


@pytest.mark.parametrize("grant", [None, Grant.refresh_token("r"), Grant.jwt_bearer(lambda runtime: "a")], ids=repr)
def test_a_store_is_not_shared_by_grants_that_do_not_say_whose_token_it_is(grant: Grant | None) -> None:
    with pytest.raises(ConfigurationError, match="account="):
        OAuth2(TOKEN_URL, grant, store=MemoryTokenStore())

    OAuth2(TOKEN_URL, grant, token=Token("a"))
    OAuth2(TOKEN_URL, grant, store=MemoryTokenStore(), account="ada")


def test_only_fields_of_well_known_names_are_shown(world: World) -> None:
    fields = {"grant_type": "x", "pwd": "hunter2a", "otp": "hunter2b", "user": "ada", "sig": "hunter2c"}
    grant = Grant(fields)
    said = " ".join(fields.values())
    world.server.answers = [Response(400, body=encode({"error": "invalid_grant", "error_description": said}))]

    with pytest.raises(TokenError) as caught:
        world.get(world.client(OAuth2(TOKEN_URL, grant)).thing())

    assert caught.value.text == "x *** *** ada ***"
    assert "hunter2" not in f"{grant!r} {grant.public} {grant._fields}"
    assert world.server.fields == [fields]


@pytest.mark.parametrize(
    "url", ["http://id.example.test/token", "http://10.0.0.1/token", "http://localhost.evil/token"]
)
def test_credentials_do_not_go_over_the_network_in_clear_unless_that_is_said(url: str) -> None:
    with pytest.raises(ConfigurationError, match="for all to read: use https, or say allow_http=True"):
        OAuth2(url, Grant.client_credentials())

    OAuth2(url, Grant.client_credentials(), allow_http=True)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "[::1]", "localhost", "auth.localhost:3001"])
def test_on_this_machine_they_may(host: str) -> None:
    OAuth2(f"http://{host}/token", Grant.client_credentials())


def test_two_who_log_in_with_one_store_do_not_get_each_others_token(world: World) -> None:
    def login(account: str) -> Any:
        grant = Grant.authorization_code(f"code-{account}", "myapp:/cb", "v")
        return world.client(OAuth2(TOKEN_URL, grant, store=store, account=account))

    store = MemoryTokenStore()
    ada, bob = login("ada"), login("bob")

    assert [world.get(ada.thing()), world.get(bob.thing()), world.get(ada.thing())] == [
        "access-1",
        "access-3",
        "access-1",
    ]
    assert world.get(login("bob").thing()) == "access-3"
    assert [fields["code"] for fields in world.server.fields] == ["code-ada", "code-bob"]


# --- refresh tokens


def test_a_refresh_token_that_is_not_replaced_is_kept(world: World) -> None:
    world.server.refreshes = False
    world.server.answers = [Response(200, body=encode({"access_token": f"t{n}", "expires_in": 60})) for n in (1, 2)]
    now = world.runtime.now()
    auth = OAuth2(TOKEN_URL, token=Token("old", "Bearer", now, now, "lasting"))
    api = world.client(auth, transport=FakeTransport(otherwise=answered(world)))

    tokens: list[str] = []
    for _ in range(2):
        tokens.append(world.get(api.thing()))
        world.runtime.elapsed += 60

    assert tokens == ["t1", "t2"]
    assert [fields["refresh_token"] for fields in world.server.fields] == ["lasting", "lasting"]


def answered(world: World) -> Any:
    """The authorization server, and an API that takes any token."""

    def answer(request: Request) -> Response:
        if str(request.url) == TOKEN_URL:
            return world.server(request)
        token = request.headers["authorization"].removeprefix("Bearer ")
        return Response(200, body=encode({"token": token}))

    return answer


def test_so_is_one_that_was_had_elsewhere(world: World) -> None:
    world.server.answers = [Response(200, body=encode({"access_token": f"t{n}", "expires_in": 60})) for n in (1, 2)]
    api = world.client(
        OAuth2(TOKEN_URL, Grant.refresh_token("lasting", "all")), transport=FakeTransport(otherwise=answered(world))
    )

    for _ in range(2):
        world.get(api.thing())
        world.runtime.elapsed += 60

    assert world.server.fields == [
        {"grant_type": "refresh_token", "refresh_token": "lasting", "scope": "all"},
        {"grant_type": "refresh_token", "refresh_token": "lasting"},
    ]


def test_what_is_good_once_says_so() -> None:
    once = [Grant.refresh_token("r"), Grant.authorization_code("c", "myapp:/cb", "v"), Grant(ROBOT, repeatable=False)]
    often = [Grant.client_credentials(), Grant.password("a", "p"), Grant.jwt_bearer(lambda runtime: "a"), Grant(ROBOT)]

    assert [grant.repeatable for grant in (*once, *often)] == [False] * 3 + [True] * 4


@given(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5) | st.binary(max_size=5)))
@settings(deadline=None, max_examples=100)
def test_no_fields_are_anything_but_a_grant_or_an_error_of_ours(fields: Any) -> None:
    try:
        sent(Grant({"grant_type": "x"} | fields))
    except JackfieldError:
        pass
