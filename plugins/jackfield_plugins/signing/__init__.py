"""Request signing, a scheme a module: HMAC by recipe, AWS SigV4, HTTP Message Signatures, OAuth 1.0a."""

from ._hmac import HmacRecipe, HmacSigning

__all__ = ["HmacRecipe", "HmacSigning"]
