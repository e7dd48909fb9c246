"""S27-S29: who cannot prove who they are hear nothing, and nothing but an explicit word changes that."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.clients import COLOURS, Asker
from tests.servers import Peer
from tests.servers.certificates import DAY, Authority, Issued, self_signed

from jackfield import ConfigurationError, Proxy, TLSError, Urllib3Transport
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.servers import Serve

pytestmark = pytest.mark.usefixtures("nothing_left")

CANARY = "canary-27"


def quickly() -> Retry:
    """With a budget of its own."""
    return Retry(base=1e-6, cap=1e-6)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def answering(peer: Peer) -> None:
    for _ in peer.requests():
        peer.send(OK)


def ours(context: ssl.SSLContext | None) -> Urllib3Transport:
    return Urllib3Transport(ssl_context=context)


def believing(_: ssl.SSLContext | None) -> Urllib3Transport:
    """Believes whoever answers, in whatever version. Broken on purpose."""
    context = unverified()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.minimum_version = ssl.TLSVersion.TLSv1
        return Urllib3Transport(ssl_context=context, verify=False)


def ask(colour: str, url: str, context: ssl.SSLContext | None, make: Any = ours) -> None:
    """One POST with a canary, tried again if there is any reason to."""
    transport = make(context)
    with Asker(colour, url, transport, plugins=[quickly()], timeout=5) as asked:
        assert asked("POST", headers={"x-key": CANARY}, body=CANARY.encode()).content == b"ok"


def of_another_authority(_: Authority) -> Issued:
    return Authority().issue("127.0.0.1", "localhost")


WRONG: dict[str, tuple[str, Callable[[Authority], Issued]]] = {
    "unknown-authority": ("127.0.0.1", of_another_authority),
    "self-signed": ("127.0.0.1", lambda _: self_signed("127.0.0.1")),
    "wrong-host": ("localhost", lambda authority: authority.issue("other.test")),
    "expired": ("127.0.0.1", lambda authority: authority.issue("127.0.0.1", starts=-2 * DAY, ends=-DAY / 24)),
    "not-yet-valid": ("127.0.0.1", lambda authority: authority.issue("127.0.0.1", starts=DAY / 24)),
    "common-name-only": ("localhost", lambda authority: authority.issue(common_name="localhost")),
    "common-name-beside-an-address": (
        "localhost",
        lambda authority: authority.issue("127.0.0.1", common_name="localhost"),
    ),
    "wildcard-over-two-labels": ("a.c.b.localhost", lambda authority: authority.issue("*.b.localhost")),
    "wildcard-of-a-top-level": ("a.localhost", lambda authority: authority.issue("*.localhost")),
    "wildcard-of-everything": ("localhost", lambda authority: authority.issue("*")),
    "wildcard-within-a-label": ("axa.b.localhost", lambda authority: authority.issue("*x*.b.localhost")),
    "name-for-an-address": ("127.0.0.1", lambda authority: authority.issue("localhost", common_name="127.0.0.1")),
    "other-address": ("127.0.0.1", lambda authority: authority.issue("127.0.0.2")),
}


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name is this machine's."""
    import socket

    real = socket.getaddrinfo

    def found(host: str, port: int, *rest: object, **options: int) -> object:
        if not options.get("flags") and host.rstrip(".").endswith("localhost"):
            host = "127.0.0.1"
        return real(host, port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("localhost", ["localhost"]),
        ("a.b.localhost", ["*.b.localhost"]),
        ("A.LocalHost.", ["a.localhost"]),
    ],
    ids=["address", "name", "wildcard", "spelling"],
)
@pytest.mark.usefixtures("loopback")
def test_who_proves_who_it_is_is_talked_to(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str, host: str, names: list[str]
) -> None:
    server = serve(answering, tls=authority.issue(*names).server_context(tmp_path))

    ask(colour, f"https://{host}:{server.port}", authority.client_context())

    assert [request.body for request in server.requests] == [CANARY.encode()]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.usefixtures("loopback")
@pytest.mark.subjects(ours=ours, believing=believing)
def test_s27_who_cannot_prove_it_hears_nothing_and_is_not_asked_again(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str, wrong: str, subject: Any
) -> None:
    host, issue = WRONG[wrong]
    server = serve(answering, tls=issue(authority).server_context(tmp_path))

    with pytest.raises(TLSError, match="certificate verify failed") as caught:
        ask(colour, f"https://{host}:{server.port}", authority.client_context(), subject)

    assert caught.value.permanent
    assert not caught.value.sent
    assert caught.value.call is not None
    assert not caught.value.call.may_have_been_processed
    assert CANARY not in str(caught.value)
    assert server.requests == []
    assert server.connections == 1


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.parametrize("given", [False, True], ids=["our-context", "their-context"])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")  # that is what it is about
@pytest.mark.subjects(ours=ours, believing=believing)
def test_s27_old_versions_are_not_spoken(
    serve: Serve,
    authority: Authority,
    tmp_path: Path,
    colour: str,
    version: ssl.TLSVersion,
    given: bool,
    subject: Any,
) -> None:
    context = authority.issue("127.0.0.1").server_context(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, version
    server = serve(answering, tls=context)

    with pytest.raises(TLSError, match=r"(?i)protocol|version") as caught:
        ask(colour, server.url, authority.client_context() if given else None, subject)

    assert caught.value.permanent
    assert server.requests == []
    assert server.connections == 1


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_certificate_of_ours_in_vain_is_a_tls_error(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str, version: ssl.TLSVersion
) -> None:
    context = authority.issue("127.0.0.1").server_context(tmp_path)
    context.load_verify_locations(cadata=authority.pem)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version
    server = serve(answering, tls=context)

    with pytest.raises(TLSError) as caught:
        ask(colour, server.url, authority.client_context())

    assert not caught.value.sent
    assert caught.value.call is not None
    assert not caught.value.call.may_have_been_processed
    assert server.requests == []
    assert server.connections == 1


@pytest.mark.parametrize("colour", COLOURS)
def test_a_certificate_of_ours_is_shown_to_who_wants_it(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str
) -> None:
    context = authority.issue("127.0.0.1").server_context(tmp_path)
    context.load_verify_locations(cadata=authority.pem)
    context.verify_mode = ssl.CERT_REQUIRED
    server = serve(answering, tls=context)
    mine = authority.client_context()
    mine.load_cert_chain(authority.issue(common_name="a client").file(tmp_path))

    ask(colour, server.url, mine)

    assert len(server.requests) == 1


# --- S28, S29: not verified


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def no_names() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    return context


@pytest.mark.parametrize("make", [unverified, no_names])
@pytest.mark.subjects(ours=ours, believing=believing)
def test_s29_a_context_that_does_not_verify_is_refused_unless_it_is_meant(
    make: Callable[[], ssl.SSLContext], subject: Any
) -> None:
    with pytest.raises(ConfigurationError, match="verify=False"):
        subject(make())


@pytest.mark.parametrize("make", [unverified, no_names])
def test_a_proxy_s_context_verifies_too(make: Callable[[], ssl.SSLContext]) -> None:
    with pytest.raises(ConfigurationError, match="verify"):
        Proxy("https://proxy.example", ssl_context=make())


@pytest.mark.parametrize("given", [False, True], ids=["our-context", "their-context"])
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.subjects(ours=ours, believing=believing)
def test_s28_verification_that_is_off_warns_and_stays_with_its_transport(
    serve: Serve, tmp_path: Path, colour: str, given: bool, subject: Any
) -> None:
    server = serve(answering, tls=self_signed("127.0.0.1").server_context(tmp_path))
    with pytest.warns(RuntimeWarning, match="verify=False") as warned:
        blind = Urllib3Transport(ssl_context=unverified() if given else None, verify=False)

    with Asker(colour, server.url, blind) as asked:
        assert asked().content == b"ok"
        with pytest.raises(TLSError):
            ask(colour, server.url, None, subject)
        assert asked().content == b"ok"

    assert warned[0].filename == __file__
    assert len(server.requests) == 2


LOOSE = {
    "PYTHONHTTPSVERIFY": "0",
    "REQUESTS_CA_BUNDLE": "{ca}",
    "CURL_CA_BUNDLE": "{ca}",
    "SSLKEYLOGFILE": "{keys}",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
}
SCRIPT = """
import sys
from jackfield import TLSError
from tests.clients import Asker
with Asker("sync", sys.argv[1], timeout=5) as asked:
    try:
        asked()
    except TLSError as error:
        print("refused", error.message)
"""


@pytest.fixture
def environment(tmp_path: Path, authority: Authority) -> dict[str, str]:
    (tmp_path / "ca.pem").write_text(authority.pem)
    places = {"ca": str(tmp_path / "ca.pem"), "keys": str(tmp_path / "keys")}
    return {name: value.format(**places) for name, value in LOOSE.items()}


def run(url: str, environment: dict[str, str]) -> str:
    """What a fresh interpreter says that asks once, with this in its environment."""
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), str(root / "sdk"), str(root / "plugins"), *filter(None, sys.path)])
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT, url],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return told.stdout


def test_the_environment_alone_switches_nothing_off_and_has_no_key_written(
    serve: Serve, authority: Authority, tmp_path: Path, environment: dict[str, str]
) -> None:
    server = serve(answering, tls=authority.issue("127.0.0.1").server_context(tmp_path))

    told = run(server.url, environment)

    assert "certificate verify failed" in told
    assert server.requests == []
    assert not (tmp_path / "keys").exists()


def test_ssl_cert_file_is_the_system_s_way_to_name_authorities_and_is_heard(
    serve: Serve, authority: Authority, tmp_path: Path, environment: dict[str, str]
) -> None:
    server = serve(answering, tls=authority.issue("127.0.0.1").server_context(tmp_path))

    told = run(server.url, {**environment, "SSL_CERT_FILE": str(tmp_path / "ca.pem")})

    assert told == ""
    assert len(server.requests) == 1
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("colour", COLOURS)
def test_a_certificate_that_was_refused_once_is_refused_again(
    serve: Serve, authority: Authority, tmp_path: Path, colour: str
) -> None:
    expired = authority.issue("127.0.0.1", starts=-2 * DAY, ends=-timedelta(hours=1))
    server = serve(answering, tls=expired.server_context(tmp_path))

    with Asker(colour, server.url, Urllib3Transport(ssl_context=authority.client_context())) as asked:
        for _ in range(3):
            with pytest.raises(TLSError):
                asked()

    assert server.requests == []
