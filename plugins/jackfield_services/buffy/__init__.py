"""Buffy: versions of what other servers have, so that they may change, or go. For tests there is an `.emulator`."""

from ._clients import AsyncBuffyClient, BuffyClient
from ._errors import (
    BuffyCacheEmptyError,
    BuffyError,
    BuffyIntegrityError,
    BuffyNoMatchError,
    BuffyNotAppliedError,
    BuffyServerError,
    BuffyTimeoutError,
    BuffyUnknownError,
    BuffyValueError,
)
from ._handles import AsyncRequest, Request
from ._models import RequestOut, Response, ResponseContentAttributes, ResponseDownloadStats
from ._strategies import ReCachingStrategy, RequestCacheConfiguration
from ._transport import BuffyTransport

BuffyPyClient = BuffyClient

__all__ = [
    "AsyncBuffyClient",
    "AsyncRequest",
    "BuffyCacheEmptyError",
    "BuffyClient",
    "BuffyError",
    "BuffyIntegrityError",
    "BuffyNoMatchError",
    "BuffyNotAppliedError",
    "BuffyPyClient",
    "BuffyServerError",
    "BuffyTimeoutError",
    "BuffyTransport",
    "BuffyUnknownError",
    "BuffyValueError",
    "ReCachingStrategy",
    "Request",
    "RequestCacheConfiguration",
    "RequestOut",
    "Response",
    "ResponseContentAttributes",
    "ResponseDownloadStats",
]
