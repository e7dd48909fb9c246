"""What a download is called: by its origin's words, and harmless."""

from __future__ import annotations

from mimetypes import guess_extension
from urllib.parse import unquote, urlsplit

from jackfield_plugins.streaming import safe_name, suggested_name

from ._models import ResponseContentAttributes


def name_of(told: ResponseContentAttributes | None, url: str, fallback: str | None) -> str | None:
    """By Content-Disposition (RFC 6266), else the end of the URL where it has a suffix, else by the media type.

    Args:
        told: what the origin said; its `filename` is the server's reading of the same, and not used.
        url: of the request.
        fallback: for what has no name.
    """
    said = told.content_disposition if told else None
    if said and (name := safe_name(suggested_name(said) or "")):
        return name
    last = unquote(urlsplit(url).path.rpartition("/")[2], errors="replace")
    if "." in last.strip(".") and (name := safe_name(last)):
        return name
    kind = (told.media_type or "").partition(";")[0].strip() if told else ""
    suffix = guess_extension(kind) if kind else None
    return f"download{suffix}" if suffix else fallback
