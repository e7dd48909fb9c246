"""Webhooks that are signed with a shared secret: the recipes of Standard Webhooks and of GitHub."""

from __future__ import annotations

from base64 import b64decode

from jackfield import ConfigurationError

from ._fields import InHeader
from ._parts import Body, Header
from ._recipe import HmacRecipe
from ._stamps import UniqueId, UnixTime


def standard_webhooks(prefix: str = "webhook") -> HmacRecipe:
    """Standard Webhooks (standardwebhooks.com, version 1), with headers of that prefix: Svix has `"svix"`."""
    identity, timestamp = f"{prefix}-id", f"{prefix}-timestamp"
    return HmacRecipe(
        content=(Header(identity), Header(timestamp), Body()),
        separator=".",
        place=InHeader(f"{prefix}-signature"),
        form="v1,{}",
        stamps=(UniqueId(InHeader(identity), "msg_"), UnixTime(InHeader(timestamp), tolerance=300)),
        key=_decoded,
    )


def _decoded(secret: str) -> bytes:
    # The key is base64 encoded, prefixed with "whsec_".
    try:
        return b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ConfigurationError("a webhook's secret is 'whsec_' and base64: copy the whole of it") from None


STANDARD_WEBHOOKS = standard_webhooks()

# GitHub, "Validating webhook deliveries": the body and nothing else, so that a delivery can be replayed.
GITHUB_WEBHOOKS = HmacRecipe(content=(Body(),), place=InHeader("X-Hub-Signature-256"), encoding="hex", form="sha256={}")
