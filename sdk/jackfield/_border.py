"""The border to urllib3, http.client and the socket: their exceptions become ours here, once."""

from __future__ import annotations

from http.client import HTTPException, RemoteDisconnected
from ssl import SSLError

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
    TruncatedBodyError,
)

_TIMEOUTS = (TimeoutError, urllib3.TimeoutError)
_TLS = (SSLError, urllib3.SSLError)


def translated(error: Exception, call: Call, *, connected: bool) -> JackfieldError:
    """What an exception of theirs means to a caller. Its text, which may quote the request, is left out."""
    if isinstance(error, _TIMEOUTS) and call.remaining() <= 0:
        return call.overdue()
    return _while_reading(error, call) if connected else _while_connecting(error, call)


def _while_connecting(error: Exception, call: Call) -> ConnectError:
    # The name lookup fails as a NewConnectionError too; only a ConnectTimeoutError of urllib3's took too long.
    if isinstance(error, TimeoutError) or type(error) is urllib3.ConnectTimeoutError:
        return ConnectTimeoutError(f"no connection within {call.options.connect_timeout:g} s")
    if isinstance(error, _TLS):
        return TLSError(f"the TLS handshake failed: {_reason(error)}")
    return ConnectError(f"cannot connect: {_reason(error)}")


def _while_reading(error: Exception, call: Call) -> JackfieldError:
    if isinstance(error, _TIMEOUTS):
        return ReadTimeoutError(f"nothing arrived for {call.options.read_timeout:g} s")
    inner = error.args[1] if isinstance(error, urllib3.ProtocolError) and len(error.args) > 1 else error
    if isinstance(inner, urllib3.IncompleteRead) or type(inner).__name__ == "IncompleteRead":
        return TruncatedBodyError("the connection ended before the body did")
    if isinstance(inner, RemoteDisconnected):
        return ConnectionLostError("the connection was closed without an answer")
    if isinstance(inner, OSError) and not isinstance(inner, _TLS):
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
