"""Request signing, a scheme a module: HMAC by recipe, AWS SigV4, HTTP Message Signatures, OAuth 1.0a."""

from typing import TYPE_CHECKING, Any

from ._fields import InHeader, InParameters, InQuery
from ._hmac import HmacSigning, HmacVerifier
from ._parts import Authority, Body, Header, Method, Parameters, Path, Query, Target, Text
from ._recipe import HmacRecipe
from ._stamps import Constant, Expiry, UniqueId, UnixTime

if TYPE_CHECKING:
    from ._aws_credentials import AwsCredentials
    from ._components import Component
    from ._digest_fields import check_digest_field, digest_field, digest_preferences, preferred_digest
    from ._keys import HmacKey, SigningKey, VerifyingKey
    from ._message import Message
    from ._message_signing import MessageSigning
    from ._message_verifier import MessageVerifier
    from ._oauth1 import OAuth1
    from ._pem_keys import EcdsaP256Key, Ed25519Key, RsaPssKey
    from ._received_signature import Verified
    from ._signature_base import signature_base
    from ._sigv4 import SigV4
    from ._webhooks import GITHUB_WEBHOOKS, STANDARD_WEBHOOKS, standard_webhooks

__all__ = [
    "Authority",
    "AwsCredentials",
    "Body",
    "Component",
    "Constant",
    "EcdsaP256Key",
    "Ed25519Key",
    "Expiry",
    "GITHUB_WEBHOOKS",
    "Header",
    "HmacKey",
    "HmacRecipe",
    "HmacSigning",
    "HmacVerifier",
    "InHeader",
    "InParameters",
    "InQuery",
    "Message",
    "MessageSigning",
    "MessageVerifier",
    "Method",
    "OAuth1",
    "Parameters",
    "Path",
    "Query",
    "RsaPssKey",
    "STANDARD_WEBHOOKS",
    "SigV4",
    "SigningKey",
    "Target",
    "Text",
    "UniqueId",
    "UnixTime",
    "Verified",
    "VerifyingKey",
    "check_digest_field",
    "digest_field",
    "digest_preferences",
    "preferred_digest",
    "signature_base",
    "standard_webhooks",
]

# What a scheme needs is imported when it is asked for.
_LATER = {
    "AwsCredentials": "_aws_credentials",
    "Component": "_components",
    "EcdsaP256Key": "_pem_keys",
    "Ed25519Key": "_pem_keys",
    "GITHUB_WEBHOOKS": "_webhooks",
    "HmacKey": "_keys",
    "Message": "_message",
    "MessageSigning": "_message_signing",
    "MessageVerifier": "_message_verifier",
    "OAuth1": "_oauth1",
    "RsaPssKey": "_pem_keys",
    "STANDARD_WEBHOOKS": "_webhooks",
    "SigV4": "_sigv4",
    "SigningKey": "_keys",
    "Verified": "_received_signature",
    "VerifyingKey": "_keys",
    "check_digest_field": "_digest_fields",
    "digest_field": "_digest_fields",
    "digest_preferences": "_digest_fields",
    "preferred_digest": "_digest_fields",
    "signature_base": "_signature_base",
    "standard_webhooks": "_webhooks",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'jackfield_plugins.signing' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
