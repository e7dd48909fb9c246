"""States: what a service's words for how a job stands mean."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from jackfield import ConfigurationError


class Meaning(Enum):
    """What a state means to who waits."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class States:
    """The words that say that a job is over. Any other word means that it runs: services invent words.

    Where an answer is an error, its status is a word, too: `"404"` may stand here, in `done` for a job that deletes
    something, in `pending` where what was just made cannot be seen at once. One that stands nowhere is raised.

    Args:
        done, failed, cancelled: how it has ended.
        pending: statuses of errors that mean nothing yet.
        ignore_case: whether `Succeeded` and `succeeded` are one word.

    Raises:
        ConfigurationError: no word means that it is done, or one word means two things.
    """

    def __init__(
        self,
        done: Iterable[str],
        *,
        failed: Iterable[str] = (),
        cancelled: Iterable[str] = (),
        pending: Iterable[str] = (),
        ignore_case: bool = True,
    ) -> None:
        self._ignore_case = ignore_case
        self._meanings: dict[str, Meaning] = {}
        for meaning, words in zip(Meaning, (pending, done, failed, cancelled), strict=True):
            self._add(meaning, words)
        if Meaning.DONE not in self._meanings.values():
            raise ConfigurationError("name at least one state that means that a job is done")

    def of(self, word: str) -> Meaning | None:
        """What the word means; None if it is not known."""
        return self._meanings.get(self._key(word))

    def _add(self, meaning: Meaning, words: Iterable[str]) -> None:
        if isinstance(words, str):
            raise ConfigurationError(f"{meaning.value} is a set of words, {{{words!r}}}, not a string")
        for word in words:
            if self._meanings.setdefault(self._key(word), meaning) is not meaning:
                raise ConfigurationError(f"the state {word!r} cannot mean two things")

    def _key(self, word: str) -> str:
        return word.casefold() if self._ignore_case else word


# Of 2xx only 202 says that "the processing has not been completed" (RFC 9110 §15.3.3).
BY_STATUS = States(str(status) for status in range(200, 300) if status != 202)
