"""What `explain()` says of the cache."""

from __future__ import annotations

from ._deciding import Action, Decision

_MEANING = {
    Action.SERVE: "would be answered from the cache, and nothing sent",
    Action.SERVE_AND_REFRESH: "would be answered from the cache, and refreshed in the background",
    Action.VALIDATE: "would ask whether the answer in the cache is still good",
    Action.FETCH: "would be sent, and the answer kept if it may be",
    Action.REFUSE: "would be answered with 504, and nothing sent",
    Action.BYPASS: "would pass the cache by",
}


def in_words(decision: Decision) -> str:
    """What would be done with the request, and why."""
    age = f" (age {decision.age:.0f} s of {decision.lifetime:.0f} s)" if decision.entry is not None else ""
    return f"cache: {_MEANING[decision.action]}: {decision.why}{age}"
