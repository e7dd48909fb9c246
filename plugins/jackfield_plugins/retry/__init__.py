"""Retry: sends a request again where that can do no harm, with backoff and jitter, within a deadline and a budget."""

from __future__ import annotations

from collections.abc import Iterable

from jackfield import Step, hookimpl

from ._budget import RetryBudget
from ._idempotency_key import IdempotencyKey
from ._retry import Retry

__all__ = ["IdempotencyKey", "Retry", "RetryBudget"]


@hookimpl
def jackfield_steps() -> Iterable[Step]:
    """What `plugins=["retry"]` stands for."""
    return Retry().jackfield_steps()
