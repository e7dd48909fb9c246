"""Content-Disposition (RFC 6266): the file name that a service suggests, as it says it: not yet safe."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_name = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_quoted = r'"(?:[\t !\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t -\x7e\x80-\xff])*"'  # RFC 9110 §5.6.4
_type = re.compile(rf"[ \t]*{_name}[ \t]*")
_parameter = re.compile(rf";[ \t]*({_name})[ \t]*=[ \t]*({_name}|{_quoted})[ \t]*")
_pair = re.compile(r"\\(.)").sub
# RFC 8187 §3.2.1: charset "'" [ language ] "'" value-chars
_extended = re.compile(r"([0-9A-Za-z-]+)'[0-9A-Za-z-]*'((?:[!#$&+.^_`|~0-9A-Za-z-]|%[0-9A-Fa-f]{2})*)").fullmatch
_CHARSETS = {"utf-8": "utf-8", "iso-8859-1": "latin-1"}


def suggested_name(value: str) -> str | None:
    """The file name of a field's value; None if it has none, or is not as the grammar wants it (§4.1)."""
    parameters = _parameters(value)
    # §4.3: "recipients SHOULD pick 'filename*' and ignore 'filename'", where they can read it.
    extended = _decoded(parameters.get("filename*", ""))
    if extended is not None:
        return extended
    plain = parameters.get("filename")
    return _pair(r"\1", plain[1:-1]) if plain is not None and plain.startswith('"') else plain


def _parameters(value: str) -> dict[str, str]:
    """Values by name, as they stand there, quotes and all; none if anything is wrong."""
    found: dict[str, str] = {}
    start = _type.match(value)
    at = start.end() if start else 0
    while start and at < len(value):
        parameter = _parameter.match(value, at)
        # §4.1: "Senders MUST NOT generate Content-Disposition header field values with multiple instances of the same
        # parameter name. Recipients SHOULD treat such header field values as invalid."
        if parameter is None or parameter[1].lower() in found:
            return {}
        found[parameter[1].lower()] = parameter[2]
        at = parameter.end()
    return found


def _decoded(value: str) -> str | None:
    if not (found := _extended(value)) or (charset := _CHARSETS.get(found[1].lower())) is None:
        return None
    try:
        return unquote_to_bytes(found[2]).decode(charset)
    except UnicodeDecodeError:
        return None
