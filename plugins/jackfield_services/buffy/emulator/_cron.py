"""When a cron table says, in UTC: five fields, then seconds, then years; names, ranges, lists and steps."""

import datetime
from collections.abc import Iterator, Mapping
from itertools import product

_SECOND = datetime.timedelta(seconds=1)
_DAY = datetime.timedelta(days=1)
_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7), (0, 59), (1970, 2099))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES: Mapping[int, Mapping[str, int]] = {
    3: {name: number for number, name in enumerate(_MONTHS, 1)},
    4: {name: number for number, name in enumerate(_DAYS)},
}
_ALIASES = {
    "@hourly": "0 * * * *",
    "@midnight": "0 0 * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_YEARS = 50


class Cron:
    """The times of a cron table, one after the other. ValueError where it is none, or has no time."""

    def __init__(self, table: str, start: datetime.datetime) -> None:
        fields = _ALIASES.get(table.strip().lower(), table).lower().split()
        if not 5 <= len(fields) <= len(_FIELDS):
            raise ValueError("Exactly 5, 6 or 7 columns has to be specified for iterator expression.")
        fields += ["0", "*"][len(fields) - 5 :]
        self._sets = [set(_values(text, place)) for place, text in enumerate(fields)]
        self._any_day = [fields[2] == "*", fields[4] == "*"]
        self.next = start
        self.advance()

    def advance(self) -> None:
        """`next` becomes the time after it."""
        after = self.next.replace(microsecond=0) + _SECOND
        day = after.replace(hour=0, minute=0, second=0)
        times = sorted(product(*(self._sets[place] for place in (1, 0, 5))))
        for _ in range(_YEARS * 366):
            if self._has(day):
                moments = (day.replace(hour=hour, minute=minute, second=second) for hour, minute, second in times)
                found = next((moment for moment in moments if moment >= after), None)
                if found is not None:
                    self.next = found
                    return
            day += _DAY
        raise ValueError("failed to find next date")

    def _has(self, day: datetime.datetime) -> bool:
        """crontab(5): where days of the month and of the week are both restricted, either will do."""
        of_month, of_week = day.day in self._sets[2], day.isoweekday() % 7 in {each % 7 for each in self._sets[4]}
        either = of_month or of_week if not any(self._any_day) else of_month and of_week
        return day.month in self._sets[3] and day.year in self._sets[6] and either


def _values(text: str, place: int) -> Iterator[int]:
    low, high = _FIELDS[place]
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _value(start, place)
            last = _value(end, place) if dash else (high if step else first)
        if ("/" in part and int(step) < 1) or not low <= first <= last <= high:
            raise ValueError(f"[{text}] is not acceptable, out of range")
        yield from range(first, last + 1, int(step or 1))


def _value(text: str, place: int) -> int:
    number = _NAMES.get(place, {}).get(text)
    return int(text) if number is None else number
