"""Times as cron has them: five fields, each a number, a name, `*`, a range, a step, or a list of these."""

from __future__ import annotations

import re
from typing import NamedTuple

from ._errors import BuffyValueError

_is_number = re.compile(r"[0-9]{1,2}").fullmatch
_LONGEST_MONTH = dict(zip(range(1, 13), (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), strict=True))


class _Field(NamedTuple):
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()  # in place of the numbers from `least` on


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    _Field("weekday", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)


def check_cron(given: object) -> None:
    """Whether these are five fields of cron that ever meet.

    Raises:
        BuffyValueError: they are not; a server that is given such dies of it, again at each start.
    """
    texts = given.split(" ") if isinstance(given, str) else []
    if len(texts) != len(_FIELDS):
        raise BuffyValueError(f"cron has five fields, minute hour day month weekday, not {given!r}")
    _, _, days, months, weekdays = [_values(text, field) for text, field in zip(texts, _FIELDS, strict=True)]
    on_any_weekday = len({day % 7 for day in weekdays}) == 7
    if on_any_weekday and not any(day <= _LONGEST_MONTH[month] for month in months for day in days):
        raise BuffyValueError(f"cron: {given!r} never comes: no such month has such a day")


def _values(text: str, field: _Field) -> set[int]:
    values = set[int]()
    for item in text.split(","):
        span = _span(item, field)
        if span is None:
            raise BuffyValueError(
                f"cron: the {field.name} {text!r} is not a number from {field.least} to {field.most}, *, a-b, */n, "
                "a-b/n or a list of these"
            )
        values.update(span)
    return values


def _span(item: str, field: _Field) -> range | None:
    whole, slash, step = item.partition("/")
    start, dash, end = (str(field.least), "-", str(field.most)) if whole == "*" else whole.partition("-")
    first, last = _number(start, field), _number(end if dash else start, field)
    if first is None or last is None or first > last:
        return None
    if not slash:
        return range(first, last + 1)
    # Without a range, `5/10` is 5 to some crons, and 5-59/10 to others.
    if not dash or not _is_number(step) or not 0 < int(step) <= field.most:
        return None
    return range(first, last + 1, int(step))


def _number(text: str, field: _Field) -> int | None:
    if text.lower() in field.names:
        return field.least + field.names.index(text.lower())
    return int(text) if _is_number(text) and field.least <= int(text) <= field.most else None
