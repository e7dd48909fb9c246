"""What `operation.explain(...)` answers: how a call would be carried out."""

from __future__ import annotations

from typing import NamedTuple

from ._messages import Request
from ._options import Options


class Explanation(NamedTuple):
    """Print it. `request` is the request itself, secrets included; the text shows none. `notes` are the steps' own."""

    operation: str
    chain: str
    options: Options
    request: Request
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        usual = Options()
        settings = [
            f"{name} = {value!r}" + ("" if value == getattr(usual, name) else "  (set)")
            for name, value in self.options._asdict().items()
            if name not in ("headers", "visible_query")
        ]
        request = f"{self.request.method} {self.request.redacted(self.options.visible_query)}"
        sections = {
            "request": [request, repr(self.request.headers)],
            **({"notes": self.notes} if self.notes else {}),
            "chain": self.chain.splitlines(),
            "settings": settings,
        }
        return "\n".join(
            [
                self.operation,
                *(line for title, lines in sections.items() for line in (f"  {title}:", *(f"    {x}" for x in lines))),
            ]
        )
