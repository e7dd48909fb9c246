"""How a client knows the server, and shows itself to it: TLS from files."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext, TLSVersion
from typing import TypeAlias, cast

from jackfield import ConfigurationError, Urllib3Transport

Verify: TypeAlias = bool | str
Cert: TypeAlias = str | tuple[str, str] | None


def transport_for(verify: Verify = True, cert: Cert = None) -> Urllib3Transport:
    """A transport of its own.

    Args:
        verify: the path of the authorities to believe in, a file or a folder; True: the system's; False: anybody, with
            a warning.
        cert: the path of a client certificate with its key, or of both, one after the other.

    Raises:
        ConfigurationError: a file cannot be used; it says which.
    """
    if verify is True and cert is None:
        return Urllib3Transport()
    context = SSLContext(PROTOCOL_TLS_CLIENT)  # verifies certificate and name
    context.minimum_version = TLSVersion.TLSv1_2
    if verify is False:
        context.check_hostname = False
        context.verify_mode = CERT_NONE
    elif verify is True:
        context.load_default_certs()
    else:
        _believe(context, verify)
    shown = b"" if cert is None else _show(context, cert)
    transport = Urllib3Transport(ssl_context=context, verify=verify is not False)
    transport.identity = shown
    return transport


def _believe(context: SSLContext, verify: object) -> None:
    if not isinstance(verify, str) or not verify:
        raise ConfigurationError(f"verify is True, False or the path of a file of authorities, not {verify!r}")
    path = Path(verify).expanduser()
    try:
        context.load_verify_locations(**{"capath" if path.is_dir() else "cafile": str(path)})
    except OSError as error:  # an SSLError is one
        if verify.lower() in ("0", "false", "no", "none", "off"):
            raise ConfigurationError(
                f"{verify!r} is a path here: verify=False, without quotes, is how to verify nobody"
            ) from None
        raise ConfigurationError(f"verify={verify!r} has no authorities to believe in: {error}") from error


def _show(context: SSLContext, cert: object) -> bytes:
    """Loads the client's certificate; a digest of it."""
    given = cast("tuple[object, ...]", cert) if isinstance(cert, tuple) else (cert,)
    names = [name for name in given if isinstance(name, str) and name]
    if len(names) != len(given) or len(names) not in (1, 2):
        raise ConfigurationError("cert is the path of a certificate, or a pair of paths: certificate and key")
    certificate, key = (Path(name).expanduser() for name in (names[0], names[-1]))
    try:
        context.load_cert_chain(certificate, key, _no_password)
        return blake2b(certificate.read_bytes(), digest_size=16).digest()
    except OSError as error:
        raise ConfigurationError(f"cert={names[0]!r} has no certificate with its key: {error}") from error


def _no_password() -> str:
    # OpenSSL would ask on the terminal, and the program would hang.
    raise ConfigurationError("the key of cert=... is encrypted: give one that is not")
