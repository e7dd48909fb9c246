"""Request signing, a scheme a module: HMAC by recipe, AWS SigV4, HTTP Message Signatures, OAuth 1.0a."""

from ._aws_credentials import AwsCredentials
from ._components import Component
from ._digest_fields import check_digest_field, digest_field, digest_preferences, preferred_digest
from ._fields import InHeader, InParameters, InQuery
from ._hmac import HmacSigning, HmacVerifier
from ._keys import HmacKey, SigningKey, VerifyingKey
from ._message import Message
from ._message_signing import MessageSigning
from ._message_verifier import MessageVerifier
from ._oauth1 import OAuth1
from ._parts import Authority, Body, Header, Method, Parameters, Path, Query, Target, Text
from ._pem_keys import EcdsaP256Key, Ed25519Key, RsaPssKey
from ._received_signature import Verified
from ._recipe import HmacRecipe
from ._signature_base import signature_base
from ._sigv4 import SigV4
from ._stamps import Constant, Expiry, UniqueId, UnixTime
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
