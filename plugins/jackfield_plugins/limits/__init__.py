"""Limits that a client keeps by itself, for each origin: how many attempts at one time, and how many in a second."""

from ._concurrency import ConcurrencyLimit
from ._rate import RateLimit

__all__ = ["ConcurrencyLimit", "RateLimit"]
