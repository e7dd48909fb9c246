"""What is known of one order, whatever the colour: what was asked for, what the server said, and what is served."""

from __future__ import annotations

from threading import Lock
from typing import Any

from ._checks import check_wish
from ._choosing import Wishes
from ._errors import BuffyNoMatchError, BuffyValueError
from ._models import RequestIn, RequestOut, Response


class Order:
    """One request of a client's; several threads or tasks may use it.

    Attributes:
        asked: what is to be fetched.
        wishes: which version of it; each change makes another object of them.
        placed: the request as the server knows it; None before it was ordered, or where the server is not reached.
        seen: the version that was waited for, as the server told of it last.
        bound: the version that is served.
        is_local: whether it is fetched from its origin.
    """

    def __init__(self, asked: RequestIn) -> None:
        self.asked = asked
        self.wishes = Wishes()
        self.placed: RequestOut | None = None
        self.seen: Response | None = None
        self.bound: Response | None = None
        self.is_local = False
        self._is_direct = False
        self._missed = 0
        self._changing = Lock()

    def wish(self, **wishes: Any) -> None:
        """Takes of these what is not None. What is served is chosen anew, and the server is asked again."""
        self.change(**{name: value for name, value in wishes.items() if value is not None})
        self.is_local = self._is_direct = False

    def go_local(self, *, is_direct: bool) -> None:
        """From here on it is fetched from its origin, and no version is served.

        Args:
            is_direct: because the caller said so, whatever is forced.
        """
        self.change()
        self.seen = None
        self.is_local, self._is_direct = True, is_direct

    def check_local(self) -> None:
        """Raises BuffyNoMatchError where the origin stands in, which has not what is forced."""
        if self.is_local and not self._is_direct and self.wishes.forced:
            raise BuffyNoMatchError(
                f"Buffy was not reached, and its origin has no versions ({self.wishes.forced}): order() asks Buffy "
                "again, fetch_directly() takes what the origin has"
            )

    def change(self, **wishes: Any) -> None:
        """Takes these. What is served is chosen anew."""
        for name, value in wishes.items():
            check_wish(name, value)
        with self._changing:
            self.wishes = self.wishes._replace(**wishes)
            self.bound = None

    def bind(self, chosen: Response, wishes: Wishes) -> None:
        """Has this version served; but where another thread wished for something else since it was chosen."""
        with self._changing:
            if wishes is self.wishes:
                self.bound = chosen

    def renew(self, told: Response) -> None:
        """Takes what the server says of the version that is served."""
        with self._changing:
            if self.bound is not None and self.bound.version == told.version:
                self.bound = told

    def is_lost(self, found: bool, *, after: int) -> bool:
        """Whether what the server was at is gone: it has nothing where there was something, or for so many looks.

        Args:
            found: whether the server has any version.
            after: so many.
        """
        with self._changing:
            self._missed = 0 if found else self._missed + 1
            lost = not found and (self.seen is not None or self._missed % after == 0)
            if lost:
                self.seen, self.bound = None, None
            return lost

    def known(self) -> RequestOut:
        """The server's request; raises BuffyValueError before it was ordered, or where it is not asked."""
        if self.is_local:
            raise BuffyValueError(
                "this is fetched from its origin: there are no versions, pins and tags; order() asks Buffy"
            )
        if self.placed is None:
            raise BuffyValueError("nothing was ordered so far: call order()")
        return self.placed
