"""A throw-away authority, and certificates of it that are right, or wrong in one way."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

DAY = timedelta(days=1)


class Issued(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    def file(self, folder: Path) -> Path:
        """Both as PEM, as `load_cert_chain` wants them."""
        path = folder / f"{self.certificate.serial_number:x}.pem"
        path.write_bytes(
            self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + self.certificate.public_bytes(Encoding.PEM)
        )
        return path

    def server_context(self, folder: Path) -> ssl.SSLContext:
        """For a server that shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file(folder))
        return context


class Authority:
    """Signs what it is asked to. Nobody trusts it but who is told to."""

    def __init__(self) -> None:
        self._root = _issue("throw-away authority", None)

    @property
    def pem(self) -> str:
        """Its own certificate."""
        return self._root.certificate.public_bytes(Encoding.PEM).decode()

    def client_context(self) -> ssl.SSLContext:
        """Trusts this authority, and is as strict as can be otherwise."""
        return ssl.create_default_context(cadata=self.pem)

    def issue(
        self, *names: str, common_name: str = "a server", starts: timedelta = -DAY, ends: timedelta = DAY
    ) -> Issued:
        """A certificate for these hosts and addresses, valid from and to so long from now."""
        return _issue(common_name, self._root, names, starts, ends)


def self_signed(*names: str) -> Issued:
    """A certificate that vouches for itself."""
    return _issue("nobody", None, names)


def _issue(
    common_name: str,
    issuer: Issued | None,
    names: Sequence[str] = (),
    starts: timedelta = -DAY,
    ends: timedelta = DAY,
) -> Issued:
    key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + starts)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=issuer is None and not names, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer is not None:
        identity = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        builder = builder.add_extension(identity, critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
    return Issued(builder.sign(issuer.key if issuer else key, SHA256()), key)


def _name(text: str) -> x509.GeneralName:
    return x509.IPAddress(IPv4Address(text)) if text[:1].isdigit() else x509.DNSName(text)
