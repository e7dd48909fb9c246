"""TLS: whom we believe, and the handshake (RFC 9110 §4.3.4, RFC 9325). Environment alone never weakens it."""

from __future__ import annotations

import socket
import sys
import warnings
from collections.abc import Callable
from ipaddress import ip_address
from ssl import (
    CERT_NONE,
    PROTOCOL_TLS_CLIENT,
    SSLCertVerificationError,
    SSLContext,
    SSLSocket,
    TLSVersion,
)
from typing import Any

from ._errors import ConfigurationError
from ._nested_tls import TlsWithinTls


def default_context() -> SSLContext:
    """The system's authorities, TLS 1.2 and above.

    Not `ssl.create_default_context`, which writes the keys of every connection to the file that SSLKEYLOGFILE names.
    """
    context = SSLContext(PROTOCOL_TLS_CLIENT)  # verifies certificate and name
    context.minimum_version = TLSVersion.TLSv1_2
    if sys.version_info >= (3, 13):
        from ssl import VERIFY_X509_PARTIAL_CHAIN, VERIFY_X509_STRICT

        context.verify_flags |= VERIFY_X509_PARTIAL_CHAIN | VERIFY_X509_STRICT
    context.load_default_certs()
    return context


def check_context(context: SSLContext) -> None:
    """Raises ConfigurationError if it does not verify its peers, certificate and name."""
    if not context.check_hostname:  # with it Python has no way to leave the certificate unverified
        raise ConfigurationError(
            "this ssl_context does not verify its peers: if you mean it, say Urllib3Transport(verify=False) too"
        )


def checked_context(context: SSLContext | None, *, verify: bool) -> Callable[[], SSLContext]:
    """What gives the context to use; made when it is first needed, as reading the authorities takes its time.

    Raises:
        ConfigurationError: it does not verify its peers, and nobody said that this is meant.
    """
    if context is not None and not isinstance(context, SSLContext):
        raise ConfigurationError(
            f"ssl_context is an SSLContext, ssl.create_default_context(cafile=...) say, not {type(context).__name__}"
        )
    if not isinstance(verify, bool):
        raise ConfigurationError(f"verify is True or False, not {verify!r}: authorities go into an ssl_context")
    if not verify:
        warnings.warn(
            "verify=False: whoever stands between can read and change everything that is sent",
            RuntimeWarning,
            stacklevel=3,
        )
        if context is None:
            context = default_context()
            context.check_hostname = False
            context.verify_mode = CERT_NONE
    elif context is not None:
        check_context(context)
    return _Once(context)


class _Once:
    def __init__(self, context: SSLContext | None) -> None:
        self._context = context

    def __call__(self) -> SSLContext:
        if self._context is None:
            self._context = default_context()
        return self._context


def secured(sock: socket.socket, host: str, context: SSLContext, seconds: float) -> SSLSocket | TlsWithinTls:
    """The socket after a handshake of so many seconds at most. An end without TLS's farewell may be a cut: an error.

    Raises:
        OSError: an SSLError, say; the socket is closed then.
    """
    try:
        sock.settimeout(seconds)  # ssl counts it down over all of a handshake
        tls: SSLSocket | TlsWithinTls
        if isinstance(sock, SSLSocket):
            tls = TlsWithinTls(sock, context, host)
        else:
            sock.getpeername()  # a peer that is gone already has wrap_socket lose the socket
            tls = context.wrap_socket(
                sock, server_hostname=host, suppress_ragged_eofs=False, do_handshake_on_connect=False
            )
    except BaseException:
        sock.close()
        raise
    try:
        tls.do_handshake()  # and not in wrap_socket, which leaves it out on a socket that is connected no more
        if context.check_hostname:
            _check_names(tls.getpeercert(), host)
    except BaseException:
        tls.close()
        raise
    return tls


def _check_names(certificate: dict[str, Any] | None, host: str) -> None:
    # RFC 9110 §4.3.4: "A reference identity of type CN-ID MUST NOT be used by clients." OpenSSL falls back to it.
    names = (certificate or {}).get("subjectAltName", ())
    if not _is_address(host) and not any(kind == "DNS" for kind, _ in names):
        raise SSLCertVerificationError(1, "certificate verify failed: a common name is not the name of a host")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
