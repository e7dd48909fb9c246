"""Streaming: bodies that arrive piece by piece, into files and out of broken connections."""

from ._disposition import suggested_name
from ._download import Download
from ._file_name import safe_name
from ._part import Part
from ._pieces import in_pieces

__all__ = ["Download", "Part", "in_pieces", "safe_name", "suggested_name"]
