"""What is deleted, and when."""

import hashlib

from ._records import Request, utc
from ._settings import Settings
from ._store import Store


class Janitor:
    """Cleans up every `clean_every` seconds, and looks once after each start whether the files are what they were."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._cleaned = float("-inf")
        self._is_new = True

    def boot(self) -> None:
        """Deletes what was under way when the server ended."""
        self._cleaned, self._is_new = float("-inf"), True
        for request in self._store.listed():
            for response in self._store.responses(request.id):
                if response.status in ("wait", "in_progress"):
                    self._store.delete(response)

    def work(self) -> None:
        now = self._settings.now()
        if now - self._cleaned > self._settings.clean_every:
            self._cleaned = now
            for request in self._store.listed():
                self._clean(request)
        if self._is_new:
            self._is_new = False
            for request in self._store.listed():
                self._verify(request)

    def _clean(self, request: Request) -> None:
        """Keeps so many of the newest, of the pinned and of the others."""
        now = utc(self._settings.now())
        responses = self._store.responses(request.id)
        duplicates = [each for each in responses if each.status == "duplicate" and not each.is_pinned(now)]
        ready = [each for each in responses if each.status == "ready"]
        superfluous = list(duplicates)
        for pinned, name in ((False, "max_cached_unpinned_versions"), (True, "max_cached_pinned_versions")):
            kept = request.configuration[name]
            those = [each for each in ready if each.is_pinned(now) is pinned]
            superfluous += those[kept:] if kept < len(those) else []
        for response in superfluous:
            self._store.delete(response)

    def _verify(self, request: Request) -> None:
        """Deletes ready versions whose file is missing, or has another hash than what was downloaded."""
        for response in self._store.responses(request.id):
            if response.status != "ready":
                continue
            content = self._store.files.get((request.id, response.version))
            name = request.said["validation_hash_type"]
            if content is None or hashlib.new(name, content).hexdigest() != response.content_hash_hex:
                self._store.delete(response)
