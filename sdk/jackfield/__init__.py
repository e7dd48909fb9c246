"""The core of Python SDKs: one definition of a service, plugins in its sockets, sync and async clients out of it."""

from typing import TYPE_CHECKING, Any

from ._body import ByteStream, StreamBody
from ._call import Call
from ._client import AsyncClient, Client
from ._errors import (
    BadRequestError,
    BodyTooLargeError,
    CallSummary,
    ConfigurationError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    ContractError,
    DeadlineExceededError,
    DecodeError,
    ForbiddenError,
    JackfieldError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    NetworkError,
    NotFoundError,
    PluginError,
    PoolTimeoutError,
    ProtocolError,
    ProxyError,
    RateLimitedError,
    ReadTimeoutError,
    RedirectError,
    ServiceError,
    SignatureError,
    TLSError,
    TruncatedBodyError,
    UnauthorizedError,
    UnavailableError,
    UsageError,
)
from ._events import (
    AttemptFailed,
    CacheHit,
    CacheMiss,
    CacheNotStored,
    CacheRefreshFailed,
    CacheStored,
    Event,
    JobPolled,
    Observer,
    PageFetched,
    RequestSent,
    ResponseReceived,
    RetryScheduled,
    TokenRefreshed,
)
from ._flight import Flights
from ._headers import Headers
from ._iterators import AsyncItems, AsyncPages, Items, Pages
from ._jobs import AsyncJob, Job, JobDefinition, async_wait_all, job, wait_all
from ._messages import Request, Response
from ._operations import Operation, operation
from ._options import Options, check_seconds
from ._page import Page
from ._paging import PagedDefinition, PageStyle, paged
from ._progress import Done, JobState, JobStyle, Pending
from ._runtime import Runtime, SyncRuntime
from ._secrets import Secret
from ._service import ClientOptions, Service
from ._steps import Chain, Proceed, Pure, Stage, Step
from ._url import Origin, Url
from ._wiring import ClientCache

if TYPE_CHECKING:
    from ._asyncio import AsyncioRuntime
    from ._dates import parse_http_date
    from ._explain import Explanation
    from ._field_path import FieldPath, field_path
    from ._fork import fork_safe_lock
    from ._hooks import hookimpl
    from ._line import Line, Place, Turns
    from ._models import Model
    from ._origins import ByOrigin
    from ._private_folder import PrivateFolder
    from ._proxy import Proxy
    from ._redirect import Redirects
    from ._reference import follow
    from ._retry_after import parse_retry_after
    from ._shapes import decoder_of, known
    from ._streamed import AsyncStream, PartSource, Saving, Stream, StreamStyle, streamed
    from ._taps import Checksum, Meter, ProgressCallback, Sink, Tap, pour, tapped
    from ._transport import Transport
    from ._urllib3 import Urllib3Transport
    from ._without import Without

__all__ = [
    "AsyncClient",
    "AsyncItems",
    "AsyncJob",
    "AsyncPages",
    "AsyncStream",
    "AsyncioRuntime",
    "AttemptFailed",
    "BadRequestError",
    "BodyTooLargeError",
    "ByOrigin",
    "ByteStream",
    "CacheHit",
    "CacheMiss",
    "CacheNotStored",
    "CacheRefreshFailed",
    "CacheStored",
    "Call",
    "CallSummary",
    "Chain",
    "Checksum",
    "Client",
    "ClientCache",
    "ClientOptions",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "ConnectTimeoutError",
    "ConnectionLostError",
    "ContractError",
    "DeadlineExceededError",
    "DecodeError",
    "Done",
    "Event",
    "Explanation",
    "FieldPath",
    "Flights",
    "ForbiddenError",
    "Headers",
    "Items",
    "JackfieldError",
    "Job",
    "JobCancelledError",
    "JobDefinition",
    "JobFailedError",
    "JobPolled",
    "JobState",
    "JobStyle",
    "JobTimeoutError",
    "Line",
    "Meter",
    "Model",
    "NetworkError",
    "NotFoundError",
    "Observer",
    "Operation",
    "Options",
    "Origin",
    "Page",
    "PageFetched",
    "PageStyle",
    "PagedDefinition",
    "Pages",
    "PartSource",
    "Pending",
    "Place",
    "PluginError",
    "PoolTimeoutError",
    "PrivateFolder",
    "Proceed",
    "ProgressCallback",
    "ProtocolError",
    "Proxy",
    "ProxyError",
    "Pure",
    "RateLimitedError",
    "ReadTimeoutError",
    "RedirectError",
    "Redirects",
    "Request",
    "RequestSent",
    "Response",
    "ResponseReceived",
    "RetryScheduled",
    "Runtime",
    "Saving",
    "Secret",
    "Service",
    "ServiceError",
    "SignatureError",
    "Sink",
    "Stage",
    "Step",
    "Stream",
    "StreamBody",
    "StreamStyle",
    "SyncRuntime",
    "TLSError",
    "Tap",
    "TokenRefreshed",
    "Transport",
    "TruncatedBodyError",
    "Turns",
    "UnauthorizedError",
    "UnavailableError",
    "Url",
    "Urllib3Transport",
    "UsageError",
    "Without",
    "async_wait_all",
    "check_seconds",
    "decoder_of",
    "field_path",
    "follow",
    "fork_safe_lock",
    "hookimpl",
    "job",
    "known",
    "operation",
    "paged",
    "parse_http_date",
    "parse_retry_after",
    "pour",
    "streamed",
    "tapped",
    "wait_all",
]

# What brings asyncio, pluggy, msgspec or urllib3 with it, or is not for every client, is imported when it is asked for.
_LATER = {
    "AsyncStream": "_streamed",
    "AsyncioRuntime": "_asyncio",
    "ByOrigin": "_origins",
    "Checksum": "_taps",
    "Explanation": "_explain",
    "FieldPath": "_field_path",
    "Line": "_line",
    "Meter": "_taps",
    "Model": "_models",
    "PartSource": "_streamed",
    "Place": "_line",
    "PrivateFolder": "_private_folder",
    "ProgressCallback": "_taps",
    "Proxy": "_proxy",
    "Redirects": "_redirect",
    "Saving": "_streamed",
    "Stream": "_streamed",
    "StreamStyle": "_streamed",
    "Sink": "_taps",
    "Tap": "_taps",
    "Transport": "_transport",
    "Turns": "_line",
    "Urllib3Transport": "_urllib3",
    "Without": "_without",
    "decoder_of": "_shapes",
    "field_path": "_field_path",
    "follow": "_reference",
    "fork_safe_lock": "_fork",
    "hookimpl": "_hooks",
    "known": "_shapes",
    "parse_http_date": "_dates",
    "parse_retry_after": "_retry_after",
    "pour": "_taps",
    "streamed": "_streamed",
    "tapped": "_taps",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'jackfield' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"jackfield.{_LATER[name]}"), name)
