"""Pins and tags that were asked for, applied to the versions they are meant for."""

import datetime
from dataclasses import replace

from ._lethal import die
from ._quirks import Quirk
from ._records import Response, utc
from ._settings import Settings
from ._store import Store
from ._wire import Record


class Claims:
    """Applies what waits in the store. A claim for a version that there is not is dropped."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    def apply(self) -> None:
        """All of them, each taken out before: what it does to the server it does once."""
        store = self._store
        for claims, applied in ((store.pins, self._pinned), (store.tags, self._tagged)):
            while claims:
                claim = claims.popleft()
                response = store.response(claim.request_id, claim.version)
                if response is not None:
                    store.put(applied(response, claim.said))

    def _pinned(self, response: Response, said: Record) -> Response:
        if not said["duration_sec"]:
            until = response.pinned_until_utc if said["value"] else None
            return replace(response, pinned=said["value"], pinned_until_utc=until)
        sign = -1 if Quirk.PINS_IN_THE_PAST in self._settings.quirks else 1
        try:
            until = utc(self._settings.now()) + sign * datetime.timedelta(seconds=said["duration_sec"])
        except OverflowError as error:
            die(self._settings, f"OverflowError: {error}")
            return response
        return replace(response, pinned_until_utc=until)

    def _tagged(self, response: Response, said: Record) -> Response:
        tag = said["value"]
        if not said["delete"]:
            return response if tag in response.tags else replace(response, tags=(*response.tags, tag))
        if tag not in response.tags:
            die(self._settings, "ValueError: list.remove(x): x not in list")
        return replace(response, tags=tuple(each for each in response.tags if each != tag))
