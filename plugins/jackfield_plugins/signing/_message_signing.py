"""HTTP Message Signatures (RFC 9421): the plugin that signs requests."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from jackfield import (
    Call,
    ConfigurationError,
    Headers,
    Proceed,
    Request,
    Response,
    Runtime,
    Stage,
    Step,
    StreamBody,
    UsageError,
    hookimpl,
)

from ._checks import check_kind
from ._components import BASICS, CONTENT_DIGEST, Component
from ._digest_fields import new_hash
from ._keys import HmacKey, SigningKey
from ._message import Message
from ._pem_keys import Ed25519Key
from ._signature_base import as_components, base_of, signature_parameters
from ._structured_fields import byte_sequences, dictionary, member_text

_NO_BASE = b"jackfield: whose key is this"  # a signature base begins with a quote: this signs no request
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "TRACE", "OPTIONS", "CONNECT"})  # sent without a length if empty

_is_label = re.compile(r"[a-z*][a-z0-9_.*-]*").fullmatch  # RFC 9651 §3.2
_is_string = re.compile(r"[ -~]+").fullmatch  # RFC 9651 §3.3.3


class MessageSigning:
    """Signs every attempt afresh, after all other steps; nothing may change the request behind it.

    A request with a body gets a `Content-Digest`, which is covered whether it was named or not. A body that can be
    read once only is refused.

    Args:
        key: what signs; it says by which algorithm.
        key_id: by which the service finds its side of the key.
        components: what is covered, in order: names, or `Component(...)`. A request without one of them is refused.
        if_present: fields that are covered in requests that have them.
        label: of this signature among others.
        expires_in: seconds until it is good no more; None: the service decides.
        nonce: whether each has one.
        tag: names the application, where the service wants it (RFC 9421 §2.3).
        digest: the algorithm of the `Content-Digest`: `"sha-256"` or `"sha-512"`.

    Raises:
        ConfigurationError, UsageError: one of these cannot be.
    """

    name = "signing"

    def __init__(
        self,
        key: SigningKey,
        *,
        key_id: str,
        components: Iterable[str | Component] = BASICS,
        if_present: Iterable[str] = (),
        label: str = "sig1",
        expires_in: int | None = None,
        nonce: bool = False,
        tag: str | None = None,
        digest: str = "sha-256",
    ) -> None:
        check_kind("key", key, SigningKey, "HmacKey(...), Ed25519Key(...) or another with algorithm, blocks and sign")
        if not isinstance(label, str) or not _is_label(label):
            raise ConfigurationError("a label is lower-case letters, digits, '_', '-', '.' and '*', a letter first")
        for name, text in (("key_id", key_id), ("tag", "-" if tag is None else tag)):
            if not isinstance(text, str) or not _is_string(text):
                raise ConfigurationError(f"{name} is a string of visible ASCII characters")
        if expires_in is not None and (type(expires_in) is not int or expires_in < 1):
            raise ConfigurationError(f"expires_in is whole seconds, 1 or more, not {expires_in!r}")
        new_hash(digest)
        self._key = key
        self._key_id = key_id
        self._components = as_components(components)
        self._if_present = as_components(if_present)
        self._label = label
        self._expires_in = expires_in
        self._nonce = nonce
        self._tag = tag
        self._digest = digest
        as_components((*self._components, *self._if_present))

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.SIGN, self._sign)]

    @hookimpl
    def jackfield_identity(self) -> bytes | None:
        """Of the key and its name; None, and so this client's alone, where signatures do not tell keys apart."""
        key = self._key
        if not isinstance(key, HmacKey | Ed25519Key):  # which sign the same bytes alike each time
            return None
        try:
            signature = key.sign(_NO_BASE)
        except UsageError:  # it cannot sign: whoever sends a request is told
            return None
        return hashlib.sha256(repr((key.algorithm, self._key_id, signature)).encode()).digest()

    async def _sign(self, request: Request, call: Call, proceed: Proceed) -> Response:
        components = self._covered(request)
        if any(component.name == CONTENT_DIGEST.name for component in components):
            request = await self._digested(request, call.runtime)
        parameters = signature_parameters(components, self._parameters(call.runtime))
        signature = await self._signature(base_of(_as_sent(request), components, parameters, None), call.runtime)
        headers = _adding(request.headers, "Signature-Input", self._label, parameters)
        headers = _adding(headers, "Signature", self._label, signature)
        return await proceed(request.with_headers(headers), call)

    def _covered(self, request: Request) -> list[Component]:
        present = [component for component in self._if_present if component.name in request.headers]
        components = [*self._components, *present]
        if request.body and not any(component.name == CONTENT_DIGEST.name for component in components):
            components.append(CONTENT_DIGEST)
        return components

    async def _digested(self, request: Request, runtime: Runtime) -> Request:
        digest = new_hash(self._digest)
        await request.feed(digest.update, runtime)
        return request.with_headers(
            request.headers.replacing("Content-Digest", byte_sequences({self._digest: digest.digest()}))
        )

    def _parameters(self, runtime: Runtime) -> dict[str, int | str]:
        created = int(runtime.now())
        parameters: dict[str, int | str] = {"created": created}
        if self._expires_in is not None:
            parameters["expires"] = created + self._expires_in
        if self._nonce:
            parameters["nonce"] = runtime.token_bytes(16).hex()
        parameters["keyid"] = self._key_id
        if self._tag is not None:
            parameters["tag"] = self._tag
        return parameters

    async def _signature(self, base: bytes, runtime: Runtime) -> str:
        def sign() -> bytes:
            return self._key.sign(base)

        signature = await runtime.offload(sign) if self._key.blocks else sign()
        return member_text((signature, {}))


def _as_sent(request: Request) -> Message:
    """The request with the fields that a transport makes: `Host`, and `Content-Length` where it is known."""
    message, body = Message.of(request), request.body
    fields = {"host": message.authority}
    length = body.length if isinstance(body, StreamBody) else len(body)
    if length is not None and (length or isinstance(body, StreamBody) or request.method.upper() not in _BODILESS):
        fields["content-length"] = str(length)
    return message._replace(headers=request.headers.over(Headers(fields)))


def _adding(headers: Headers, name: str, label: str, value: str) -> Headers:
    """With one more member of a dictionary (RFC 9421 §4.3: signatures stand side by side)."""
    member = f"{label}={value}"
    if not (present := headers.get(name)):
        return headers.replacing(name, member)
    if label in dictionary(present):
        raise UsageError(f"the request has a signature {label!r} already: give MessageSigning another label")
    return headers.replacing(name, f"{present}, {member}")
