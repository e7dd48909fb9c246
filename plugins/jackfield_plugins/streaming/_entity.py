"""What a whole answer tells of the entity in it: its validator, its length, its digests, its name."""

from __future__ import annotations

import re
from typing import NamedTuple

from jackfield import Headers, Request, parse_http_date

from ._digests import Digest, digests_of
from ._file_name import file_name
from ._part import Held, length_of

_strong = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"').fullmatch  # RFC 9110 §8.8.3, without W/
_APART = 60  # seconds


class Entity(NamedTuple):
    """What is known of it before its bytes come.

    Attributes:
        held: what is held of it now: nothing; how it is known again.
        digests: what it must hash to.
        name: a safe file name.
    """

    held: Held
    digests: frozenset[Digest]
    name: str

    @classmethod
    def of(cls, headers: Headers, request: Request, source: str, now: float) -> Entity:
        """What a whole answer to the request tells.

        Args:
            headers: of the answer.
            request: what it answers.
            source: what the entity was asked for by; see `source_of`.
            now: seconds since 1970.

        Raises:
            SignatureError: a digest field is malformed.
        """
        name = file_name(headers, request.url)
        if is_coded(headers):  # what is read is out of its coding, and nothing here is about that
            return cls(Held(source=source), frozenset(), name)
        digests = digests_of(headers, "repr-digest") | digests_of(headers, "content-digest")
        # §14.2: "A server MUST ignore a Range header field received with a request method that is unrecognized or for
        # which range handling is not defined. For this specification, GET is the only method".
        known_by = _validator(headers, now) if request.method == "GET" else None
        return cls(Held(0, known_by, length_of(headers), source), digests, name)


def is_coded(headers: Headers) -> bool:
    """Whether the body was in a content coding on the wire."""
    return headers.get("content-encoding", "identity").strip().lower() not in ("identity", "")


def _validator(headers: Headers, now: float) -> str | None:
    """What a strong comparison may go by (RFC 9110 §13.1.5); None where parts cannot be had.

    Args:
        headers: of an answer.
        now: seconds since 1970, to read dates by.
    """
    if headers.get("accept-ranges", "").strip().lower() == "none":
        return None
    # "A client MUST NOT generate an If-Range header field containing an entity tag that is marked as weak", nor one
    # "containing an HTTP-date unless [...] the client has no entity tag".
    if (tag := headers.get("etag")) is not None:
        return tag.strip(" \t") if _strong(tag.strip(" \t")) else None
    modified = headers.get("last-modified")
    changed, sent = (parse_http_date(headers.get(name, ""), now) for name in ("last-modified", "date"))
    # §8.8.2.2: a date is strong if the answer's Date is later by enough to rule out that it changed again meanwhile.
    apart = changed is not None and sent is not None and sent - changed >= _APART
    return modified.strip(" \t") if apart and modified is not None else None


def names_another(headers: Headers, validator: str | None) -> bool:
    """Whether an answer says that it is of another entity than the one with this validator."""
    name = "etag" if (validator or "").startswith('"') else "last-modified"
    return headers.get(name, validator) != validator


def is_of(headers: Headers, validator: str | None) -> bool:
    """Whether an answer is of the entity with this validator.

    §15.3.7: a 206 has the ETag that a 200 would have; its Last-Modified may be left out.
    """
    if (validator or "").startswith('"'):
        return headers.get("etag", "").strip(" \t") == validator
    return headers.get("last-modified", validator) == validator
