"""Streaming: bodies that arrive piece by piece, into files and out of broken connections."""

from ._download import Download
from ._file_name import safe_name
from ._part import Part

__all__ = ["Download", "Part", "safe_name"]
