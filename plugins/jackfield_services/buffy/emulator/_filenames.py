"""The name of what is downloaded: as the server guesses it, and as RFC 6266 has it."""

import mimetypes
from collections.abc import Mapping
from email.message import Message
from pathlib import PurePosixPath
from urllib.parse import urlsplit

_FALLBACK = "download"
_KEPT = " ._()-"


def guessed(headers: Mapping[str, str], url: str) -> str:
    """As the server does: a parameter `filename` and no other, without what a name of a file should not have."""
    named = _named(headers.get("content-disposition", ""))
    if named:
        return "".join(char for char in named if char.isalnum() or char in _KEPT).rstrip()
    return _of_url(headers, url)


def proper(headers: Mapping[str, str], url: str) -> str:
    """As the origin names it: RFC 6266, with `filename*`."""
    message = Message()
    message["content-disposition"] = headers.get("content-disposition", "attachment")
    return message.get_filename() or _of_url(headers, url)


def _named(disposition: str) -> str:
    parts = disposition.split(";")
    if len(parts) > 3:
        return ""
    named = ""
    for part in map(str.strip, parts):
        if part.lower().startswith("filename="):
            named = part.split("=")[1].replace('"', "").replace("'", "")
    return named


def _of_url(headers: Mapping[str, str], url: str) -> str:
    path = PurePosixPath(urlsplit(url).path)
    if path.suffix:
        return path.name
    extension = mimetypes.guess_extension(headers.get("content-type", "").split(";")[0])
    return _FALLBACK + (extension or "")
