"""Uploads: bodies that are sent piece by piece: files, forms, and what somebody else produces."""

from __future__ import annotations

from ._body_of import Source, body_of
from ._form import FilePart, MultipartForm

__all__ = ["FilePart", "MultipartForm", "Source", "body_of"]
