"""The retry budget: a bucket of tokens that retries are paid from, so that an outage is not made worse by them."""

from __future__ import annotations

from jackfield import ConfigurationError, fork_safe_lock

from ._failure import Kind

_guard = fork_safe_lock()


class RetryBudget:
    """What retries cost, and what there is to pay them from. Threads, tasks and clients may share one.

    A retry takes its cost; without enough left there is none. A call that succeeds gives back what its last retry
    cost, or 1 if it needed none. The usual costs allow at most 7 retries for 100 calls that succeed, besides
    the 35 that a full bucket pays for.

    Args:
        capacity: tokens in the full bucket, which it is at first.
        transient: what a retry costs after an error or a status.
        timeout: ... after a connection or an answer that did not come in time.
        throttle: ... after 429.

    Raises:
        ConfigurationError: one of them is no whole number of 1 or more.
    """

    def __init__(self, capacity: int = 500, *, transient: int = 14, timeout: int = 14, throttle: int = 5) -> None:
        self._costs = {Kind.TRANSIENT: transient, Kind.TIMEOUT: timeout, Kind.THROTTLE: throttle}
        for value in (capacity, *self._costs.values()):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigurationError(f"a retry budget and its costs are whole numbers of 1 or more, not {value!r}")
        self._capacity = self._tokens = capacity

    @property
    def tokens(self) -> int:
        """What is left."""
        return self._tokens

    def take(self, kind: Kind) -> int:
        """Pays for a retry.

        Returns:
            what it cost, or 0 if there is not enough left.
        """
        cost = self._costs[kind]
        with _guard:
            if cost > self._tokens:
                return 0
            self._tokens -= cost
            return cost

    def give(self, tokens: int) -> None:
        """Gives back after a success."""
        if self._tokens < self._capacity:  # what is full needs no lock: nothing can be added
            with _guard:
                self._tokens = min(self._tokens + tokens, self._capacity)


_named: dict[str, RetryBudget] = {}


def budget_of(given: RetryBudget | str | None) -> RetryBudget:
    """A budget as it is given: itself, the one of that name in this process, or a new one.

    Raises:
        ConfigurationError: it is none of these.
    """
    if given is None:
        return RetryBudget()
    if isinstance(given, RetryBudget):
        return given
    if not isinstance(given, str) or not given:
        raise ConfigurationError(f"a budget is a RetryBudget, or a name that clients share one by, not {given!r}")
    with _guard:
        return _named.setdefault(given, RetryBudget())
