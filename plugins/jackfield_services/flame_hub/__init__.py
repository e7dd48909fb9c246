"""FLAME Hub: clients of its three services, for Hubs of either generation. For tests there is an `.emulator`."""

from . import auth, models, types
from ._auth_client import AsyncAuthClient, AuthClient
from ._core_client import AsyncCoreClient, CoreClient
from ._errors import (
    HubAPIError,
    HubAuthenticationError,
    HubBadRequestError,
    HubConflictError,
    HubForbiddenError,
    HubLoginError,
    HubNotFoundError,
    HubRateLimitedError,
    HubUnavailableError,
    HubValidationError,
    NoMetaError,
)
from ._job_errors import HubJobCancelledError, HubJobError
from ._model import get_field_names, get_includable_names
from ._said import ErrorResponse
from ._storage_client import AsyncStorageClient, StorageClient

__all__ = [
    "AsyncAuthClient",
    "AsyncCoreClient",
    "AsyncStorageClient",
    "AuthClient",
    "CoreClient",
    "ErrorResponse",
    "HubAPIError",
    "HubAuthenticationError",
    "HubBadRequestError",
    "HubConflictError",
    "HubForbiddenError",
    "HubJobCancelledError",
    "HubJobError",
    "HubLoginError",
    "HubNotFoundError",
    "HubRateLimitedError",
    "HubUnavailableError",
    "HubValidationError",
    "NoMetaError",
    "StorageClient",
    "auth",
    "get_field_names",
    "get_includable_names",
    "models",
    "types",
]
