"""When Buffy fetches something again, and how much of it is kept."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import field
from msgspec.structs import replace

from jackfield import Model


class _Strategy(Model, kw_only=False, tag_field="strategy_name", tag=str):
    """A strategy equals one of its kind with the same figures; and its kind, or the name of that, as in Buffy."""

    @property
    def strategy_name(self) -> str:
        """What the server calls it."""
        return type(self).__name__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return other == self.strategy_name
        return type(self) is other if isinstance(other, type) else super().__eq__(other)

    def __ne__(self, other: object) -> bool:  # a Struct has one of its own
        return not self == other


class never(_Strategy, kw_only=False):
    """What was fetched once is served for ever."""


class age(_Strategy, kw_only=False):
    """Again when it is so many seconds old.

    A server of 0.7.3 compares with the oldest version that it keeps: with a small age it fetches about once a second
    until that is cleaned up.
    """

    seconds: int = 3600


class cron(_Strategy, kw_only=False):
    """At times as cron has them, five fields, by the server's clock (UTC); and when it starts."""

    cron: str = "0 0 * * *"
    run_at_start: bool = True


class when_requested(_Strategy, kw_only=False):
    """With every order; those of one moment (0.3 s) share an answer."""


class when_remote_changed(_Strategy, kw_only=False):
    """When the origin says that it changed. A server of 0.7.3 never sees that: take `when_requested` or `age` there."""

    check_interval_sec: int = 21600
    fallback_max_age_sec: int = 86400


Strategy: TypeAlias = never | age | cron | when_requested | when_remote_changed


class ReCachingStrategy:
    """The strategies, by Buffy's names: `ReCachingStrategy.age(seconds=600)`."""

    never = never
    age = age
    cron = cron
    when_requested = when_requested
    when_remote_changed = when_remote_changed

    @classmethod
    def list(cls) -> list[type[Strategy]]:
        """All of them."""
        return [cls.never, cls.age, cls.cron, cls.when_requested, cls.when_remote_changed]


class RequestCacheConfiguration(Model):
    """How one request is cached. It counts when a request is made first: for another, take another group.

    Attributes:
        recaching_strategy: when it is fetched again.
        max_cached_unpinned_versions: so many of the newest are kept.
        max_cached_pinned_versions: of those that are pinned, too; older ones are deleted all the same.
        request_id: the server's; what is sent of it is None.
    """

    request_id: str | None = None
    recaching_strategy: Strategy = field(default_factory=when_remote_changed)
    max_cached_unpinned_versions: int = 2
    max_cached_pinned_versions: int = 10


def differ(wanted: RequestCacheConfiguration, given: RequestCacheConfiguration) -> bool:
    """Whether these two are not the same, for whatever request they are."""
    return replace(wanted, request_id=given.request_id) != given
