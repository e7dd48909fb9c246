"""What is known of one order, whatever the colour: what was asked for, what the server said, and what is served."""

from __future__ import annotations

from threading import Lock
from typing import Any

from ._choosing import Wishes
from ._errors import BuffyValueError
from ._models import RequestIn, RequestOut, Response


class Order:
    """One request of a client's; several threads or tasks may use it.

    Attributes:
        asked: what is to be fetched.
        wishes: which version of it; each change makes another object of them.
        placed: the request as the server knows it; None before it was ordered, or where the server is not reached.
        seen: the version that was waited for, as the server told of it last.
        bound: the version that is served.
        is_local: whether it is fetched from its origin, as the server was not reached.
    """

    def __init__(self, asked: RequestIn) -> None:
        self.asked = asked
        self.wishes = Wishes()
        self.placed: RequestOut | None = None
        self.seen: Response | None = None
        self.bound: Response | None = None
        self.is_local = False
        self._missed = 0
        self._changing = Lock()

    def wish(self, **wishes: Any) -> None:
        """Takes of these what is not None. What is served is chosen anew, and the server is asked again."""
        self.change(**{name: value for name, value in wishes.items() if value is not None})
        self.is_local = False

    def change(self, **wishes: Any) -> None:
        """Takes these. What is served is chosen anew."""
        with self._changing:
            self.wishes = self.wishes._replace(**wishes)
            self.bound = None

    def bind(self, chosen: Response, wishes: Wishes) -> None:
        """Has this version served; but where another thread wished for something else since it was chosen."""
        with self._changing:
            if wishes is self.wishes:
                self.bound = chosen

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
        """The server's request; raises BuffyValueError before it was ordered."""
        if self.placed is None:
            raise BuffyValueError(
                "this is fetched from its origin, as Buffy was not reached: there are no versions, pins and tags"
                if self.is_local
                else "nothing was ordered so far: call order()"
            )
        return self.placed
