"""Authentication, a scheme a module: for every one there is a page in docs/auth."""

from ._answer import TokenError
from ._api_key import ApiKey
from ._assertion import JwtAssertion
from ._basic import Basic
from ._bearer import Bearer
from ._challenge import Challenge, parse_challenges
from ._client_auth import ClientAuth, ClientSecretBasic, ClientSecretPost, Credentials, PrivateKeyJwt, PublicClient
from ._code import AuthorizationCode, CodeRequest, pkce_challenge
from ._device import AsyncDeviceLogin, DeviceCode, DeviceLogin
from ._digest import Digest
from ._endpoint import Endpoint
from ._file_store import FileTokenStore
from ._grants import Grant
from ._manager import TokenManager
from ._oauth2 import OAuth2
from ._source import GrantSource, TokenSource
from ._store import MemoryTokenStore, RenewalLock, TokenStore
from ._token import Token
from ._token_auth import TokenAuth

__all__ = [
    "ApiKey",
    "AsyncDeviceLogin",
    "AuthorizationCode",
    "Basic",
    "Bearer",
    "Challenge",
    "ClientAuth",
    "ClientSecretBasic",
    "ClientSecretPost",
    "CodeRequest",
    "Credentials",
    "DeviceCode",
    "DeviceLogin",
    "Digest",
    "Endpoint",
    "FileTokenStore",
    "Grant",
    "GrantSource",
    "JwtAssertion",
    "MemoryTokenStore",
    "OAuth2",
    "PrivateKeyJwt",
    "PublicClient",
    "RenewalLock",
    "Token",
    "TokenAuth",
    "TokenError",
    "TokenManager",
    "TokenSource",
    "TokenStore",
    "parse_challenges",
    "pkce_challenge",
]
