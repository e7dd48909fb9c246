"""The border to urllib3, http.client and the socket: their exceptions become ours here, once."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPException
from ssl import SSLEOFError, SSLError, SSLZeroReturnError

from urllib3 import exceptions as urllib3

from ._call import Call
from ._errors import (
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    JackfieldError,
    ProtocolError,
    ReadTimeoutError,
    TLSError,
)
from ._tunnel import refused

_TIMEOUTS = (TimeoutError, urllib3.TimeoutError)
_TLS = (SSLError, urllib3.SSLError)
_ENDS = (SSLEOFError, SSLZeroReturnError)  # the peer went away: that says nothing of who it is
# In TLS 1.3 the peer judges our certificate when we are done already, and have sent the request (RFC 8446 §4.4.2.4).
_REFUSALS = frozenset(
    {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_UNKNOWN_CA", "TLSV1_ALERT_ACCESS_DENIED"}
    | {"SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_HANDSHAKE_FAILURE"}
    | {"SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_REVOKED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN"}
)
_HINTS = {
    "WRONG_VERSION": "; does the peer speak TLS at all, or is it http://?",
    "Hostname mismatch": "; is this the name that the service's certificate is for?",
    "IP address mismatch": "; is this the address that the service's certificate is for?",
    "CERTIFICATE_VERIFY_FAILED": "; an authority of your own is trusted by transport=Urllib3Transport(ssl_context="
    "ssl.create_default_context(cafile=...))",
}


def translated(error: Exception, call: Call, *, connected: bool, answered: bool) -> JackfieldError:
    """What an exception of theirs means to a caller. Its text, which may quote the request, is left out."""
    if isinstance(error, _TIMEOUTS) and call.remaining() <= 0:
        return call.overdue()
    return _while_reading(error, call, answered) if connected else _while_connecting(error, call)


def _while_connecting(error: Exception, call: Call) -> ConnectError:
    if isinstance(error, TimeoutError):
        return ConnectTimeoutError(f"no connection within {call.options.connect_timeout:g} s")
    if isinstance(error, _TLS) and not isinstance(error, _ENDS):
        hints = (hint for sign, hint in _HINTS.items() if sign in str(error))
        return TLSError(f"the TLS handshake failed: {_reason(error)}{next(hints, '')}")
    ours = ConnectError(f"cannot connect: {_reason(error)}")
    ours.permanent = _is_permanent(error)
    return ours


@contextmanager
def blamed_on_the_proxy() -> Generator[None]:
    """What goes wrong in this block is a ProxyError; but for time that is up, of which the call knows more."""
    try:
        yield
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as error:
        raise refused(f"no connection by the proxy: {_reason(error)}", permanent=_is_permanent(error)) from error


def _is_permanent(error: Exception) -> bool:
    if isinstance(error, socket.gaierror):  # there is no such name, or it has no address
        return error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None))
    return isinstance(error, (UnicodeError, *_TLS)) and not isinstance(error, _ENDS)


def _while_reading(error: Exception, call: Call, answered: bool) -> JackfieldError:
    if isinstance(error, _TIMEOUTS):
        return ReadTimeoutError(f"nothing arrived for {call.options.read_timeout:g} s")
    inner = error.args[1] if isinstance(error, urllib3.ProtocolError) and len(error.args) > 1 else error
    if isinstance(inner, SSLError) and inner.reason in _REFUSALS and not answered:
        call.unanswered = False
        return TLSError(f"the peer ended the TLS handshake: {_reason(inner)}")
    told = isinstance(inner, SSLError) and "_ALERT_" in (inner.reason or "")  # what came, or went, was damaged
    if isinstance(inner, OSError) and (told or isinstance(inner, _ENDS) or not isinstance(inner, _TLS)):
        return ConnectionLostError(f"the connection was lost: {_reason(inner)}")
    if isinstance(error, HTTPException | urllib3.HTTPError | OSError | ValueError | OverflowError):
        return ProtocolError(f"the answer is not valid HTTP ({type(inner).__name__})")
    raise error  # a defect of ours, not the network's


def _reason(error: BaseException) -> str:
    """The operating system's words, wherever in the chain of causes they are."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        seen = seen.__cause__ or seen.__context__
    return type(error).__name__
