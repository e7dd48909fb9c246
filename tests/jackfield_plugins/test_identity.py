"""Whose credentials a client's requests bear is told before they bear them: the same for the same, and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from ssl import create_default_context
from typing import Any

import pytest
from tests.clients import AnythingClient

from jackfield import (
    Call,
    PluginError,
    Proceed,
    Request,
    Response,
    Runtime,
    Secret,
    Stage,
    Step,
    Urllib3Transport,
    hookimpl,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import (
    ApiKey,
    Basic,
    Bearer,
    ClientSecretBasic,
    ClientSecretPost,
    Credentials,
    Digest,
    Grant,
    MemoryTokenStore,
    OAuth2,
    PublicClient,
    Token,
    TokenAuth,
    TokenManager,
)
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import GITHUB_WEBHOOKS, AwsCredentials, HmacSigning, OAuth1, SigV4

URL = "https://api.example.test"
TOKENS = "https://login.example.test/token"


class Named:
    """A source of tokens that a third party wrote."""

    name = "theirs"
    repeatable = True
    login = None

    def __init__(self, key: str) -> None:
        self.key = key
        self.identity = key.encode()

    async def grant(self, call: Call) -> Token:
        raise NotImplementedError

    async def refresh(self, refresh_token: Secret, call: Call) -> Token:
        raise NotImplementedError


def oauth(grant: Grant | None, **options: Any) -> OAuth2:
    return OAuth2(TOKENS, grant, **options)


# Each makes one and the same account, whenever it is called.
ACCOUNTS: dict[str, Callable[[], list[object]]] = {
    "nobody": list,
    "basic": lambda: [Basic("ada", "one")],
    "basic, another": lambda: [Basic("ada", "two")],
    "bearer": lambda: [Bearer("one")],
    "bearer, another": lambda: [Bearer("two")],
    "key in a header": lambda: [ApiKey("one")],
    "key in a header, another": lambda: [ApiKey("two")],
    "key in the query": lambda: [ApiKey("one", query="key")],
    "key in a cookie": lambda: [ApiKey("one", cookie="key")],
    "digest": lambda: [Digest("ada", "one")],
    "digest, another": lambda: [Digest("eve", "one")],
    "client": lambda: [oauth(Grant.client_credentials(), client=ClientSecretBasic("ada", "one"))],
    "client, another": lambda: [oauth(Grant.client_credentials(), client=ClientSecretBasic("eve", "one"))],
    "client, another secret": lambda: [oauth(Grant.client_credentials(), client=ClientSecretPost("ada", "two"))],
    "client, for less": lambda: [oauth(Grant.client_credentials("read"), client=ClientSecretBasic("ada", "one"))],
    "password": lambda: [oauth(Grant.password("ada", "one"))],
    "password, another": lambda: [oauth(Grant.password("eve", "one"))],
    "password, another secret": lambda: [oauth(Grant.password("ada", "two"))],
    "password, of a client": lambda: [oauth(Grant.password("ada", "one"), client=PublicClient("phone"))],
    "a code": lambda: [oauth(Grant.authorization_code("one", "http://127.0.0.1/", "v" * 43), account="ada")],
    "a code, another": lambda: [oauth(Grant.authorization_code("two", "http://127.0.0.1/", "v" * 43), account="ada")],
    "login": lambda: [oauth(None, token=Token("one", refresh_token="more"))],
    "login, another": lambda: [oauth(None, token=Token("two", refresh_token="less"))],
    "a source of theirs": lambda: [TokenAuth(TokenManager(Named("ada")))],
    "a source of theirs, another": lambda: [TokenAuth(TokenManager(Named("eve")))],
    "hmac": lambda: [HmacSigning(GITHUB_WEBHOOKS, "one")],
    "hmac, another": lambda: [HmacSigning(GITHUB_WEBHOOKS, "two")],
    "sigv4": lambda: [SigV4(AwsCredentials("one", "s"), "us-east-1", "execute-api")],
    "sigv4, another": lambda: [SigV4(AwsCredentials("two", "s"), "us-east-1", "execute-api")],
    "sigv4, another secret": lambda: [SigV4(AwsCredentials("one", "t"), "us-east-1", "execute-api")],
    "sigv4, for a while": lambda: [SigV4(AwsCredentials("one", "s", "t"), "us-east-1", "execute-api")],
    "oauth1": lambda: [OAuth1("one", "s", "t", "ts")],
    "oauth1, another": lambda: [OAuth1("two", "s", "t", "ts")],
    "oauth1, another secret": lambda: [OAuth1("one", "x", "t", "ts")],
    "oauth1, another token secret": lambda: [OAuth1("one", "s", "t", "xs")],
    "oauth1, another's": lambda: [OAuth1("one", "s", "u", "ts")],
    "both": lambda: [Bearer("one"), HmacSigning(GITHUB_WEBHOOKS, "one")],
}


def identity(*plugins: object, **options: Any) -> bytes:
    """Of a client with these plugins."""
    seen: list[bytes] = []

    def look(request: Request) -> Response:
        return Response(200)

    class Looking:
        name = "looking"

        @hookimpl
        def jackfield_steps(self) -> Iterable[Step]:
            return [Step(self.name, Stage.CACHE, self._run)]

        async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
            seen.append(call.identity)
            return look(request)

    view = options.pop("view", {})
    options.setdefault("transport", FakeTransport())
    client = AnythingClient(URL, plugins=[Looking(), *plugins], **options)
    client.with_options(**view).ask(Request("GET", client.url()))
    return seen[0]


def test_who_bears_no_credential_is_nobody() -> None:
    assert identity() == b""
    assert len(identity(Bearer("one"))) == 32


@pytest.mark.parametrize("account", ACCOUNTS)
def test_the_same_account_is_the_same_in_another_client(account: str) -> None:
    assert identity(*ACCOUNTS[account]()) == identity(*ACCOUNTS[account]())


def test_no_two_accounts_are_the_same() -> None:
    identities = {account: identity(*make()) for account, make in ACCOUNTS.items()}

    assert [pair for pair in combinations(ACCOUNTS, 2) if identities[pair[0]] == identities[pair[1]]] == []


class Keyed:
    """A client that signs with a key, and has nothing that could be told apart."""

    client_id = "ada"

    def credentials(self, runtime: Runtime) -> Credentials:
        return Credentials()


@pytest.mark.parametrize(
    "make",
    [
        lambda: oauth(Grant.jwt_bearer(lambda runtime: "signed")),
        lambda: oauth(Grant.client_credentials(), client=Keyed()),
        lambda: oauth(None, store=MemoryTokenStore(), account="ada"),
    ],
    ids=["signed grant", "signed client", "what the store has"],
)
def test_where_no_secret_can_be_told_an_auth_object_is_nobody_else(make: Callable[[], OAuth2]) -> None:
    shared = make()

    assert identity(make()) != identity(make())
    assert identity(shared) == identity(shared)


class Theirs:
    """Puts a credential on requests, and does not tell whose."""

    def __init__(self, stage: Stage) -> None:
        self.name = "theirs"
        self.stage = stage

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, self.stage, self._run)]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        return await proceed(request, call)


@pytest.mark.parametrize("stage", [Stage.AUTH, Stage.SIGN])
def test_a_plugin_that_does_not_tell_keeps_its_client_to_itself(stage: Stage) -> None:
    plugin = Theirs(stage)

    assert identity(plugin) != identity(plugin)


@pytest.mark.parametrize("stage", [Stage.PREPARE, Stage.LIMIT])
def test_what_bears_no_credential_changes_nothing(stage: Stage) -> None:
    assert identity(Theirs(stage), Retry()) == identity()


def test_a_clients_own_headers_may_be_credentials() -> None:
    assert identity(headers={"x-key": "one"}) != identity(headers={"x-key": "two"})
    assert identity(headers={"x-key": "one"}) == identity(headers={"X-Key": "one"})
    assert identity(headers={"accept": "one", "user-agent": "two"}) == identity()


def test_a_view_with_another_credential_is_another() -> None:
    before = identity(Bearer("one"))

    assert identity(Bearer("one"), view={"timeout": 5.0}) == before
    assert identity(Bearer("one"), view={"headers": {"x-key": "two"}}) != before
    assert identity(Bearer("one"), view={"auth": Bearer("two")}) == identity(Bearer("two"))


class Silent:
    """A transport that does not tell what it bears."""

    def __init__(self) -> None:
        self.fake = FakeTransport(otherwise=Response(200))

    async def send(self, request: Request, call: Call) -> Response:
        return await self.fake.send(request, call)

    async def close(self) -> None:
        pass


def test_a_client_certificate_may_be_a_credential() -> None:
    context = create_default_context()
    plain, secured, known = (
        Urllib3Transport(),
        Urllib3Transport(ssl_context=context),
        Urllib3Transport(ssl_context=context),
    )
    known.identity = b"of ada"

    assert identity(transport=plain) == b""
    assert identity(transport=secured) == identity(transport=secured) != b""
    assert identity(transport=secured) != identity(transport=Urllib3Transport(ssl_context=context))
    assert identity(transport=known) != identity(transport=secured)


def test_a_transport_that_does_not_tell_keeps_its_client_to_itself() -> None:
    silent = Silent()

    assert identity(transport=silent) != identity(transport=silent)


@pytest.mark.parametrize("told", [b"", None, "text"])
def test_an_identity_is_bytes(told: Any) -> None:
    class Wrong(Theirs):
        @hookimpl
        def jackfield_identity(self) -> bytes:
            return told  # type: ignore[no-any-return]  # on purpose

    if told is None:  # as of any hook: it does not answer
        assert identity(Wrong(Stage.AUTH)) != identity(Wrong(Stage.AUTH))
    else:
        with pytest.raises(PluginError, match="bytes that are not empty"):
            identity(Wrong(Stage.AUTH))
