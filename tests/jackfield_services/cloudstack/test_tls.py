"""TLS by files: whom a client believes, what it shows, and which file an error names."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from tests.servers import Peer, Serve
from tests.servers.certificates import Authority, Issued

from jackfield import ConfigurationError, TLSError, Without
from jackfield.testing import FakeTransport
from jackfield_services.cloudstack import CloudStack
from jackfield_services.cloudstack._tls import transport_for

BODY = b'{"listzonesresponse":{"count":1,"zone":[{"id":"1"}]}}'


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def issued(authority: Authority) -> Issued:
    return authority.issue("127.0.0.1")


@pytest.fixture
def trusted(authority: Authority, tmp_path: Path) -> Path:
    """The authority's certificate in a file."""
    path = tmp_path / "authority.pem"
    path.write_text(authority.pem)
    return path


def answer(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)


def zones(url: str, **options: Any) -> int:
    with CloudStack(f"{url}/client/api", plugins=[Without("retry")], **options) as cs:
        return int(cs.execute("listZones")["count"])


def test_the_authorities_of_a_file_are_believed(
    nothing_left: None, serve: Serve, issued: Issued, trusted: Path, tmp_path: Path
) -> None:
    server = serve(answer, tls=issued.server_context(tmp_path))

    assert zones(server.url, verify=str(trusted)) == 1


def test_others_are_not(serve: Serve, issued: Issued, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(Authority().pem)
    context = issued.server_context(tmp_path)

    believed: list[dict[str, Any]] = [{}, {"verify": str(other)}, {"verify": str(tmp_path)}]  # a folder of none
    for options in believed:
        with pytest.raises(TLSError):
            zones(serve(tls=context).url, **options)


def test_a_name_that_is_not_the_servers_is_not_believed(
    serve: Serve, authority: Authority, trusted: Path, tmp_path: Path
) -> None:
    context = authority.issue("other.test").server_context(tmp_path)

    with pytest.raises(TLSError):
        zones(serve(tls=context).url, verify=str(trusted))


def test_whoever_believes_anybody_is_warned(serve: Serve, issued: Issued, tmp_path: Path) -> None:
    server = serve(answer, tls=issued.server_context(tmp_path))

    with pytest.warns(RuntimeWarning, match="verify=False"):
        assert zones(server.url, verify=False) == 1


@pytest.mark.parametrize("parts", ["together", "apart", "pair of one"])
def test_a_client_shows_its_certificate(
    serve: Serve, authority: Authority, issued: Issued, trusted: Path, tmp_path: Path, parts: str
) -> None:
    context = issued.server_context(tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.pem)
    whole = authority.issue("a-client.test").file(tmp_path)
    key, _, certificate = whole.read_text().partition("-----BEGIN CERTIFICATE-----")
    (tmp_path / "key.pem").write_text(key)
    (tmp_path / "cert.pem").write_text(f"-----BEGIN CERTIFICATE-----{certificate}")
    apart = (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    cert = {"together": str(whole), "apart": apart, "pair of one": (str(whole),)}[parts]

    assert zones(serve(answer, tls=context).url, verify=str(trusted), cert=cert) == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"verify": "/nowhere/ca.pem"}, r"verify='/nowhere/ca.pem' has no authorities"),
        ({"verify": "False"}, "'False' is a path here: verify=False, without quotes, is how to verify nobody"),
        ({"verify": ""}, "verify is True, False or the path"),
        ({"verify": 7}, "verify is True, False or the path"),
        ({"verify": None}, "verify is True, False or the path"),
        ({"cert": "/nowhere/c.pem"}, r"cert='/nowhere/c.pem' has no certificate with its key"),
        ({"cert": ("/nowhere/c.pem", "/nowhere/k.pem")}, r"cert='/nowhere/c.pem' has no"),
        ({"cert": ""}, "cert is the path of a certificate, or a pair"),
        ({"cert": ("a", "b", "c")}, "cert is the path of a certificate, or a pair"),
        ({"cert": ("a", None)}, "cert is the path of a certificate, or a pair"),
        ({"cert": 7}, "cert is the path of a certificate, or a pair"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        CloudStack("https://cloud.test/client/api", **options)


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.pem"
    path.write_text("canary")

    wrong: list[dict[str, Any]] = [{"verify": str(path)}, {"cert": str(path)}]
    for options in wrong:
        with pytest.raises(ConfigurationError, match=str(path)) as caught:
            CloudStack("https://cloud.test/client/api", **options)
        assert "canary" not in str(caught.value)


def test_an_encrypted_key_is_refused_and_nobody_is_asked(issued: Issued, tmp_path: Path) -> None:
    locked = issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"canary"))
    path = tmp_path / "locked.pem"
    path.write_bytes(issued.certificate.public_bytes(Encoding.PEM) + locked)

    with pytest.raises(ConfigurationError, match="is encrypted: give one that is not"):
        transport_for(True, str(path))


def test_the_same_certificate_is_the_same_identity(authority: Authority, tmp_path: Path, trusted: Path) -> None:
    one, other = (str(authority.issue(f"{name}.test").file(tmp_path)) for name in ("one", "other"))

    assert transport_for(True, one).identity == transport_for(str(trusted), one).identity
    assert transport_for(True, one).identity != transport_for(True, other).identity
    assert transport_for(str(trusted)).identity == b""


def test_no_keys_of_connections_are_written_down(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, serve: Serve, issued: Issued, trusted: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))

    zones(serve(answer, tls=issued.server_context(tmp_path)).url, verify=str(trusted))

    assert not (tmp_path / "keys").exists()


def test_tls_options_and_a_transport_do_not_go_together() -> None:
    with pytest.raises(ConfigurationError, match="verify and cert"):
        CloudStack("https://cloud.test/client/api", verify=False, transport=FakeTransport())
