"""The authorization code flow with PKCE: what the browser is sent with, what it brings back, what becomes of it."""

from __future__ import annotations

import pickle
import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import encode
from tests.servers.authorization import TOKEN_URL

from jackfield import ConfigurationError, Response, Secret, UsageError
from jackfield.testing import VirtualSyncRuntime
from jackfield_plugins.auth import (
    AuthorizationCode,
    ClientSecretBasic,
    CodeRequest,
    Grant,
    OAuth2,
    PublicClient,
    TokenError,
    pkce_challenge,
)

if TYPE_CHECKING:
    from .conftest import World

AUTHORIZE = "https://login.example.test/authorize"
BACK = "https://app.example.test/back"
CANARY = "hunter2-canary"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 appendix B
OCTETS = bytes.fromhex("7418dfb49799e0254ffa607dd8adbbba16d4254d69d6bff05b58055853848d79")
UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


def flow(url: str = AUTHORIZE, client_id: str = "tool", redirect_uri: str = BACK, **options: Any) -> AuthorizationCode:
    return AuthorizationCode(url, client_id, redirect_uri, **options)


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)


def back(begun: CodeRequest, **answer: str) -> str:
    """Where the browser is sent by a service that agrees, or does what the rest says."""
    fields = {"code": "SplxlOBeZQQYbYS6WxSbIA", "state": begun.state.reveal()} | answer
    return f"{BACK}?{urlencode(fields)}"


def refused(begun: CodeRequest, redirected: str, **options: Any) -> TokenError:
    with pytest.raises(TokenError) as caught:
        flow(**options).finish(begun, redirected)
    return caught.value


# --- PKCE


def test_verifier_and_challenge_are_those_of_the_rfc() -> None:
    begun = flow().start(lambda size: OCTETS[:size])

    assert begun.verifier == Secret(VERIFIER)
    assert query(begun.url)["code_challenge"] == ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]


@given(st.text(UNRESERVED, min_size=43, max_size=128))
@settings(deadline=None, max_examples=100)
def test_a_challenge_is_the_digest_without_padding(verifier: str) -> None:
    digest = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode()

    assert pkce_challenge(verifier) == digest.removesuffix("=")
    assert len(pkce_challenge(verifier)) == 43


@pytest.mark.parametrize(
    "verifier",
    ["", "a" * 42, "a" * 129, "a" * 42 + "=", "a" * 43 + "\n", "a" * 42 + "ä", "a" * 42 + "+", "a" * 42 + " ", None, 5],
    ids=repr,
)
def test_a_verifier_that_is_none_has_no_challenge(verifier: Any) -> None:
    with pytest.raises(UsageError, match="43 to 128"):
        pkce_challenge(verifier)


@pytest.mark.parametrize("verifier", [UNRESERVED[:43], UNRESERVED + "-" * 62], ids=len)
def test_the_shortest_and_the_longest_verifier_have_one(verifier: str) -> None:
    assert pkce_challenge(verifier)


# --- where the browser is sent


def test_the_browser_is_sent_with_what_the_rfcs_want_and_no_more() -> None:
    runtime = VirtualSyncRuntime(seed=7)

    begun = flow(scope="a b").start(runtime.token_bytes)

    same = VirtualSyncRuntime(seed=7)
    state, verifier = (urlsafe_b64encode(same.token_bytes(32)).decode().rstrip("=") for _ in range(2))
    assert begun == (begun.url, Secret(state), Secret(verifier))
    assert begun.url.partition("?")[0] == AUTHORIZE
    assert query(begun.url) == {
        "response_type": ["code"],
        "client_id": ["tool"],
        "redirect_uri": [BACK],
        "scope": ["a b"],
        "state": [state],
        "code_challenge": [pkce_challenge(verifier)],
        "code_challenge_method": ["S256"],
    }
    assert verifier not in begun.url


def test_the_request_of_rfc_6749_is_had_but_for_pkce() -> None:
    begun = flow("https://server.example.com/authorize", "s6BhdRkqt3", "https://client.example.com/cb").start()

    expected = "response_type=code&client_id=s6BhdRkqt3&redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb"
    assert dict(parse_qsl(expected)).items() <= dict(parse_qsl(urlsplit(begun.url).query)).items()
    assert "scope" not in query(begun.url)


def test_every_login_has_a_state_and_a_verifier_of_its_own() -> None:
    begun = [flow().start() for _ in range(200)]

    texts = {secret.reveal() for login in begun for secret in (login.state, login.verifier)}
    assert len(texts) == 400
    assert all(re.fullmatch(r"[A-Za-z0-9\-._~]{43,128}", text) for text in texts)
    assert all(query(login.url)["code_challenge"] == [pkce_challenge(login.verifier.reveal())] for login in begun)


def test_too_little_chance_is_refused() -> None:
    with pytest.raises(UsageError):
        flow().start(lambda size: b"short")


def test_a_query_of_the_endpoint_is_kept_and_parameters_of_its_own_are_added() -> None:
    extra = [("prompt", "consent"), ("resource", "a&b"), ("resource", "ü ")]

    begun = flow(f"{AUTHORIZE}?tenant=a%20b&flag=", extra=extra).start()

    found = query(begun.url)
    assert begun.url.count("?") == 1
    assert (found["tenant"], found["flag"]) == (["a b"], [""])
    assert (found["prompt"], found["resource"]) == (["consent"], ["a&b", "ü "])
    assert {name for name, values in found.items() if len(values) > 1} == {"resource"}


OURS = ["response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"]


@pytest.mark.parametrize("name", OURS)
def test_what_it_sets_itself_is_set_by_nobody_else(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        flow(extra=[(name, "x")])
    with pytest.raises(ConfigurationError, match=name):
        flow(f"{AUTHORIZE}?{name}=x")


@pytest.mark.parametrize(
    "extra", [{"ab": "c"}, ["ab"], [("a",)], [("a", 5)], [("a", None)], [("a", "b", "c")]], ids=repr
)
def test_an_extra_that_is_no_pairs_of_strings_is_refused(extra: Any) -> None:
    with pytest.raises(ConfigurationError, match="pairs"):
        flow(extra=extra)


@pytest.mark.parametrize(
    "url",
    [
        *("", "/authorize", "javascript:alert(1)", "file:///etc/passwd", "https://", f"https://u:{CANARY}@h/"),
        *("https://h/a#f", "https://h/a?b=1#f", "https://h/a?ü=1", "https://h/a\n", None, 5, b"https://h/"),
    ],
    ids=repr,
)
def test_an_endpoint_that_is_no_url_is_refused(url: Any) -> None:
    with pytest.raises(UsageError) as caught:
        flow(url)

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        *("https://app.example.test/back", "https://app.example.test/back?tenant=1", "http://127.0.0.1:49152/"),
        *("http://[::1]:49152/cb", "myapp:/cb", "com.example.app:/oauth2redirect", "urn:ietf:wg:oauth:2.0:oob"),
        "https://app.example.test/b%C3%BCck~_!$&'()*+,;=:@",
    ],
)
def test_a_redirect_uri_is_any_absolute_one(uri: str) -> None:
    begun = flow(redirect_uri=uri).start()
    grant = flow(redirect_uri=uri).finish(begun, back(begun).replace(BACK, uri.partition("?")[0]))

    assert query(begun.url)["redirect_uri"] == [uri]
    assert grant.public == {"grant_type": "authorization_code", "redirect_uri": uri}


@pytest.mark.parametrize(
    "uri",
    [
        *("", "/back", "back", "//h/back", ":/cb", "https://h/#f", "myapp:/cb#", "https:", "1app:/cb", "https://h/a b"),
        *(
            "https://h/\n",
            "\nhttps://h/",
            "https://h/ü",
            'https://h/"',
            "https://h/<b>",
            "https://h/`",
            "https://h/{a}",
        ),
        *("https://h/\\", "https://h/^", "https://h/|", None, 5, b"myapp:/cb"),
    ],
    ids=repr,
)
def test_a_redirect_uri_that_is_none_is_refused(uri: Any) -> None:
    with pytest.raises(ConfigurationError, match="redirect_uri"):
        flow(redirect_uri=uri)


@pytest.mark.parametrize("text", ["a\ud800", "a\nb", "a\x00"], ids=repr)
def test_what_cannot_be_sent_is_refused(text: str) -> None:
    wrong: list[dict[str, Any]] = [{"scope": text}, {"extra": [("a", text)]}, {"extra": [(text, "a")]}]
    for options in wrong:
        with pytest.raises(ConfigurationError):
            flow(**options)


def test_a_scope_is_a_text() -> None:
    with pytest.raises(ConfigurationError, match="scope"):
        flow(scope=["a", "b"])


@pytest.mark.parametrize("client_id", ["", None, "a\nb"], ids=repr)
def test_a_client_without_a_name_is_refused(client_id: Any) -> None:
    with pytest.raises(ConfigurationError, match="client_id"):
        flow(client_id=client_id)


# --- what it brings back


def test_a_code_becomes_the_request_of_rfc_6749() -> None:
    begun = CodeRequest("", Secret("xyz"), Secret(VERIFIER))
    login = flow(redirect_uri="https://client.example.com/cb")

    grant = login.finish(begun, "https://client.example.com/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=xyz")

    sent = {name: str(Secret(value).reveal()) for name, value in grant.values(VirtualSyncRuntime()).items()}
    assert sent == {
        "grant_type": "authorization_code",
        "code": "SplxlOBeZQQYbYS6WxSbIA",
        "redirect_uri": "https://client.example.com/cb",
        "code_verifier": VERIFIER,
    }
    assert not grant.repeatable


@pytest.mark.parametrize("code", ["a b", "a+b/c=", "ü", "%41", "4/0AX4XfWh&x=1"])
def test_an_odd_code_is_taken_as_it_is_meant(code: str) -> None:
    begun = flow().start()

    value = flow().finish(begun, back(begun, code=code)).values(VirtualSyncRuntime())["code"]

    assert value == Secret(code)


def test_a_fragment_that_a_browser_adds_is_no_part_of_the_answer() -> None:
    begun = flow().start()

    grant = flow().finish(begun, back(begun) + "#_=_&code=x")

    assert grant.values(VirtualSyncRuntime())["code"] == Secret("SplxlOBeZQQYbYS6WxSbIA")


@pytest.mark.parametrize("state", ["", "x", "ü", "\ud800", "%FF", "\x00", "A" * 100_000], ids=lambda s: repr(s)[:20])
def test_another_state_is_refused(state: str) -> None:
    begun = flow().start()

    error = refused(begun, f"{BACK}?code=c&state={state}")

    assert "begin again" in str(error)
    assert begun.state.reveal() not in str(error)


@pytest.mark.parametrize("cut", [slice(1, None), slice(None, -1), slice(None, None, -1)])
def test_nearly_the_state_is_refused(cut: slice) -> None:
    begun = flow().start()

    refused(begun, back(begun, state=begun.state.reveal()[cut]))


def test_no_state_is_refused() -> None:
    assert "state" in str(refused(flow().start(), f"{BACK}?code=c"))
    assert "state" in str(refused(flow().start(), BACK))
    assert "state" in str(refused(flow().start(), ""))
    assert "state" in str(refused(flow().start(), f"{BACK}?error=access_denied"))


def test_the_state_of_another_login_is_refused() -> None:
    ours, theirs = flow().start(), flow().start()

    refused(ours, back(theirs))


@pytest.mark.parametrize("name", ["state", "code", "iss", "session_state"])
def test_a_parameter_that_comes_twice_is_refused(name: str) -> None:
    begun = flow().start()
    value = begun.state.reveal() if name == "state" else "c"

    error = refused(begun, f"{back(begun, **{name: value})}&{name}={value}")

    assert "twice" in str(error)
    assert "twice" in str(refused(begun, f"{back(begun, **{name: value})}&{name}="))


@pytest.mark.parametrize("answer", [{"code": ""}, {"code": "", "error": ""}])
def test_an_answer_without_a_code_is_refused(answer: dict[str, str]) -> None:
    begun = flow().start()

    assert "no code" in str(refused(begun, back(begun, **answer)))
    assert "no code" in str(refused(begun, f"{BACK}?state={begun.state.reveal()}"))


# RFC 6749 §4.1.2.1
@pytest.mark.parametrize(
    "code",
    [
        *("access_denied", "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope"),
        *("server_error", "temporarily_unavailable"),
    ],
)
def test_an_error_of_the_service_is_told(code: str) -> None:
    begun = flow().start()

    error = refused(begun, back(begun, error=code, error_description="You said no"))

    assert (error.code, error.text, error.status) == (code, "You said no", None)
    assert f'{code}, "You said no"' in str(error)


def test_an_error_counts_even_with_a_code_beside_it() -> None:
    begun = flow().start()

    error = refused(begun, back(begun, error="access_denied"))

    assert (error.code, error.text) == ("access_denied", "")
    assert str(error) == "the login was refused: access_denied; begin again"


def test_hostile_words_are_few_and_printable() -> None:
    begun = flow().start()
    words = "\x1b[31m\r\n\x07\u202e\x9b" + "x" * 100_000

    error = refused(begun, back(begun, error=words, error_description=words))

    assert error.code is not None
    assert str(error).isprintable()
    assert len(str(error)) < 500
    assert len(f"{error.code}{error.text}") == 400
    assert f"{error.code}{error.text}".isprintable()


@pytest.mark.parametrize("redirected", [None, 5, b"https://h/?code=c", {}], ids=repr)
def test_what_is_no_text_is_refused(redirected: Any) -> None:
    with pytest.raises(UsageError):
        flow().finish(flow().start(), redirected)


@given(st.text() | st.text().map(f"{BACK}?state=s&".__add__))
@settings(deadline=None, max_examples=100)
def test_whatever_comes_back_is_a_grant_or_an_error_of_ours(redirected: str) -> None:
    try:
        flow().finish(CodeRequest("", Secret("s"), Secret(VERIFIER)), redirected)
    except (TokenError, UsageError):
        pass


# --- RFC 9207


ISSUER = "https://login.example.test"


@pytest.mark.parametrize("iss", ["", "https://evil.example.test", ISSUER + "/", ISSUER.upper(), "ü"])
def test_an_answer_of_another_issuer_is_refused(iss: str) -> None:
    begun = flow().start()

    assert "issuer" in str(refused(begun, back(begun, iss=iss), issuer=ISSUER))


def test_an_answer_without_an_issuer_is_refused_where_one_is_expected() -> None:
    begun = flow().start()

    assert "issuer" in str(refused(begun, back(begun), issuer=ISSUER))
    assert "issuer" in str(refused(begun, back(begun, error="access_denied"), issuer=ISSUER))
    assert flow(issuer=ISSUER).finish(begun, back(begun, iss=ISSUER))
    assert flow().finish(begun, back(begun, iss="whatever"))


# --- from start to end


def test_a_login_gives_tokens_until_its_refresh_token_is_worth_nothing(world: World) -> None:
    login = flow(scope="read")
    begun = login.start(world.runtime.token_bytes)
    grant = login.finish(begun, back(begun))
    api = world.client(OAuth2(TOKEN_URL, grant, client=PublicClient("tool")))

    first = world.get(api.thing())
    world.runtime.elapsed += 4000
    second = world.get(api.thing())
    world.runtime.elapsed += 4000
    world.server.answers = [Response(400, body=encode({"error": "invalid_grant"}))]
    with pytest.raises(TokenError, match="log in again") as caught:
        world.get(api.thing())

    assert (first, second) == ("access-1", "access-3")
    assert world.server.fields == [
        {
            "grant_type": "authorization_code",
            "code": "SplxlOBeZQQYbYS6WxSbIA",
            "redirect_uri": BACK,
            "code_verifier": begun.verifier.reveal(),
            "client_id": "tool",
        },
        {"grant_type": "refresh_token", "refresh_token": "refresh-2", "client_id": "tool"},
        {"grant_type": "refresh_token", "refresh_token": "refresh-4", "client_id": "tool"},
    ]
    assert pkce_challenge(world.server.fields[0]["code_verifier"]) == query(begun.url)["code_challenge"][0]
    assert caught.value.code == "invalid_grant"


def test_a_code_that_is_used_up_is_not_sent_again(world: World) -> None:
    begun = flow().start()
    grant = flow().finish(begun, back(begun))
    world.server.answers = [Response(400, body=encode({"error": "invalid_grant"}))]
    api = world.client(OAuth2(TOKEN_URL, grant, client=ClientSecretBasic("tool", "s")))

    for _ in range(2):
        with pytest.raises(TokenError, match="log in again"):
            world.get(api.thing())

    assert world.server.asked == {"authorization_code": 1}


def test_two_logins_do_not_mix(world: World) -> None:
    login = flow()
    begun = [login.start() for _ in range(2)]
    grants = [login.finish(one, back(one, code=f"code-{n}")) for n, one in enumerate(begun)]
    apis = [world.client(OAuth2(TOKEN_URL, grant, client=PublicClient("tool"))) for grant in reversed(grants)]

    tokens = [world.get(api.thing()) for api in (*apis, *apis)]

    assert tokens == ["access-1", "access-3"] * 2
    assert [(fields["code"], fields["code_verifier"]) for fields in world.server.fields] == [
        (f"code-{n}", begun[n].verifier.reveal()) for n in (1, 0)
    ]


def test_a_login_is_kept_as_two_texts_and_finished_elsewhere() -> None:
    begun = flow().start()
    session = {"state": begun.state.reveal(), "verifier": begun.verifier.reveal()}

    grant = flow().finish(CodeRequest("", Secret(session["state"]), Secret(session["verifier"])), back(begun))

    assert isinstance(grant, Grant)


def test_nothing_of_a_login_is_to_be_seen() -> None:
    login = flow(extra=[("audience", "api")])
    begun = login.start()
    grant = login.finish(begun, back(begun, code=CANARY))

    shown = f"{begun!r} {begun} {login!r} {vars(login)} {grant!r} {grant.public}"
    assert not [text for text in (begun.state.reveal(), begun.verifier.reveal(), CANARY) if text in shown]
    assert repr(begun) == f"CodeRequest('{AUTHORIZE}')"
    for holder in (begun, grant):
        with pytest.raises(TypeError, match="a Secret is not pickled"):
            pickle.dumps(holder)


@pytest.mark.parametrize("code", ["a\nb", "a\x00", "\x7f"])
def test_a_code_that_no_service_gives_is_no_answer(code: str) -> None:
    begun = flow().start()

    with pytest.raises(TokenError, match="holds no code"):
        flow().finish(begun, back(begun, code=code))
