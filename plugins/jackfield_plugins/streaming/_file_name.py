"""File names out of what a service says: one name in one folder, on any system, whatever it says."""

from __future__ import annotations

import re
from urllib.parse import unquote

from jackfield import Headers, Url

from ._disposition import suggested_name

LONGEST = 200  # bytes of UTF-8; what a folder takes is 255 nearly everywhere, and less in some encrypted ones
_SUFFIX = 20  # bytes of a suffix that is kept when a name is cut
_unusable = re.compile(r'[<>:"|?*]').sub
# Windows opens these as devices, whatever their suffix.
_is_device = re.compile(
    r"(?:CON|PRN|AUX|NUL|CLOCK\$|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9\xb9\xb2\xb3])[ ]*(?:\..*)?"
).fullmatch
_drive = re.compile(r"[A-Za-z]:").match


def file_name(headers: Headers, url: Url) -> str:
    """By what name to save: the one suggested by Content-Disposition, else the end of the URL, else `download`."""
    suggested = suggested_name(headers["content-disposition"]) if "content-disposition" in headers else None
    last = unquote(url.path.rpartition("/")[2], errors="replace")
    return safe_name(suggested or "") or safe_name(last) or "download"


def safe_name(text: str) -> str | None:
    """What is left of a name when nothing in it can do harm; None if that is nothing.

    RFC 6266 §4.3: only the last segment of a path counts; nothing hidden, no device, no name that shows as another.
    """
    last = re.split(r"[/\\]", text)[-1]
    if _drive(last):
        last = last[2:]
    name = _trimmed(_unusable("_", "".join(map(_shown, last))))
    return _cut(f"_{name}" if _is_device(name.upper()) else name) or None


def _shown(character: str) -> str:
    """Nothing for a control, a sign that turns the writing direction, half of a surrogate pair, a line break."""
    from unicodedata import category

    kind = category(character)
    return " " if kind == "Zs" else "" if kind[0] in "CZ" else character


def _trimmed(name: str) -> str:
    """Without what hides a file or makes an option of it, and what Windows drops from the end."""
    return name.lstrip(" .-~").rstrip(" .")


def _cut(name: str) -> str:
    if len(name.encode()) <= LONGEST:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > _SUFFIX:
        stem, dot, suffix = name, "", ""
    room = LONGEST - len((dot + suffix).encode())
    return _trimmed(stem.encode()[:room].decode(errors="ignore")) + dot + suffix
