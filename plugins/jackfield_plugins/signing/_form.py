"""A request's parameters, where they stand: in its form (`application/x-www-form-urlencoded`), or in its query."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote_to_bytes

from jackfield import StreamBody, UsageError

from ._received import Head

_is_form = re.compile(r'application/x-www-form-urlencoded *(; *charset="?utf-8"? *)?', re.I).fullmatch
_NO_BODY = ("GET", "HEAD")  # RFC 9110 §9.3.1: a body of theirs has no meaning


def form_of(head: Head) -> bytes | None:
    """The form; None where the parameters stand in the query.

    Raises:
        UsageError: some stand in the query and some in the form, or in a body that is no form: a service may read
            others than those that are signed.
    """
    body = head.body
    if head.method in _NO_BODY or not _is_form(head.headers.get("content-type", "").strip()):
        if body:
            raise UsageError("parameters are signed in the query or in a form, and this body is neither: leave it out")
        return None
    if isinstance(body, StreamBody):
        raise UsageError("the fields of a form are sorted before they are signed: give its body as bytes, not a stream")
    if head.query:
        raise UsageError("this request has a query and a form: put every parameter into one of them")
    return body


def parameters(head: Head) -> tuple[tuple[str, str], ...]:
    """The names and values as they are meant.

    Raises:
        UsageError: they are not in one place, or not UTF-8.
    """
    form = form_of(head)
    if form is None:
        return head.query
    try:
        return tuple(parse_qsl(form.decode(), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise UsageError("the form cannot be read: it is not UTF-8") from None


def name_of(field: bytes) -> str:
    """The name of one field of a form, as it is meant."""
    return unquote_to_bytes(field.partition(b"=")[0].replace(b"+", b" ")).decode("utf-8", "replace")
