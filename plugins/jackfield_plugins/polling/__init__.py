"""Polling: how jobs are asked for, as styles for `@job`."""

from ._polling import Polling

__all__ = ["Polling"]
