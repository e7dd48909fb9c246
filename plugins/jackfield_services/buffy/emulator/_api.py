"""The endpoints under /v1: what each reads of the store and leaves in it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from ._claims import Claims
from ._content import content_answer
from ._models import read_configuration, read_pin, read_request, read_tag
from ._quirks import Quirk
from ._reading import Field, Wrong, boolean, integer, number, one_of, read_fields, refuse, text
from ._records import STATUSES, Request, Response, signature, utc
from ._request import Incoming
from ._settings import Settings
from ._store import Claim, Store
from ._wire import Answer, Record, Refused, as_json, detail, failure

Endpoint: TypeAlias = Callable[[Incoming, Mapping[str, str]], Answer]
T = TypeVar("T")

_STATUS = Field(one_of(STATUSES), None)
_TEXT = Field(text, None)


class Api:
    """Answers. Called under the store's lock."""

    def __init__(self, settings: Settings, store: Store, claims: Claims) -> None:
        self._settings = settings
        self._store = store
        self._claims = claims

    def routes(self) -> Sequence[tuple[str, str, Endpoint]]:
        """Methods, paths below /v1, and who answers: in the order in which the server looks for them."""
        version = "request/{id}/response/v/{version}"
        return (
            ("GET", "request/", self._list_requests),
            ("PUT", "request/", self._put_request),
            ("GET", "request/{id}", self._get_request),
            ("GET", "request/{id}/status/{timestamp}", self._is_registered),
            ("GET", "request/{id}/cache-config", self._get_configuration),
            ("PUT", "request/{id}/cache-config", self._put_configuration),
            ("GET", "request/{id}/response", self._list_responses),
            ("GET", "request/{id}/response/latest", self._latest),
            ("GET", "request/{id}/response/t/{tag}", self._list_tagged),
            ("GET", version, self._get_response),
            ("GET", f"{version}/content", self._content),
            ("PUT", f"{version}/pin", self._pin),
            ("PUT", f"{version}/tag", self._tag),
        )

    def _list_requests(self, incoming: Incoming, _: Mapping[str, str]) -> Answer:
        fields = {"group_name": _TEXT, "skip": Field(integer, 0), "limit": Field(integer, 100)}
        query = _query(fields, incoming)
        return as_json(200, _page([request.record() for request in self._store.listed(query["group_name"])], query))

    def _put_request(self, incoming: Incoming, _: Mapping[str, str]) -> Answer:
        said = read_request(incoming)
        configuration = said.pop("cache_configuration")
        now = self._settings.now()
        for request in self._store.listed():
            if signature(request.said) == signature(said):
                request.asked_again = utc(now)
                request.waiting.append(now)
                return as_json(202, request.record(now))
        request = self._store.create(said, configuration, utc(now))
        request.configuration["request_id"] = request.id
        request.waiting.append(now)
        return as_json(201, request.record(now))

    def _get_request(self, _: Incoming, path: Mapping[str, str]) -> Answer:
        if self._has(Quirk.BROKEN_ROUTES):
            return failure()
        request = self._store.requests.get(path["id"])
        return detail(404, "Not Found") if request is None else as_json(200, request.record())

    def _is_registered(self, _: Incoming, path: Mapping[str, str]) -> Answer:
        try:
            timestamp = number(path["timestamp"])
        except Wrong as wrong:
            refuse(Wrong.of([error | {"loc": ["request_timestamp"]} for error in wrong.errors]), "path")
        request = self._store.requests.get(path["id"])
        if request is None:
            return as_json(404, {"status": "not_existent"})
        if timestamp in request.waiting:
            return as_json(202, {"status": "not_registered"})
        return as_json(200, {"status": "registered"})

    def _get_configuration(self, _: Incoming, path: Mapping[str, str]) -> Answer:
        return as_json(200, self._request(path).configuration)

    def _put_configuration(self, incoming: Incoming, path: Mapping[str, str]) -> Answer:
        said = read_configuration(incoming)
        request = self._request(path)
        if not self._has(Quirk.CONFIGURATION_STAYS):
            request.configuration = said | {"request_id": request.id}
        return as_json(200, request.configuration)

    def _list_responses(self, incoming: Incoming, path: Mapping[str, str]) -> Answer:
        fields = {"status": _STATUS, "tag": _TEXT, "skip": Field(integer, 0), "limit": Field(integer, 10)}
        query = _query(fields, incoming)
        return as_json(200, _page([self._record(each) for each in self._matching(path["id"], query)], query))

    def _latest(self, incoming: Incoming, path: Mapping[str, str]) -> Answer:
        query = _query({"tag": _TEXT, "pinned": Field(boolean, None), "status": _STATUS}, incoming)
        found = self._matching(path["id"], query)
        if query["pinned"] is not None:
            found = self._pinned(found, query["pinned"])
        return as_json(200, self._record(found[0])) if found else Answer(status=204)

    def _pinned(self, responses: Sequence[Response], wanted: bool) -> list[Response]:
        """The server compares a date that is not there with the time."""
        until_none = any(not each.pinned and each.pinned_until_utc is None for each in responses)
        if wanted and until_none and self._has(Quirk.BROKEN_ROUTES):
            raise Refused(failure())
        now = utc(self._settings.now())
        return [each for each in responses if (each.is_pinned(now) if wanted else not each.pinned)]

    def _list_tagged(self, _: Incoming, path: Mapping[str, str]) -> Answer:
        responses = self._store.responses(path["id"])
        if self._has(Quirk.BROKEN_ROUTES) and any(each.tags for each in responses):
            return failure()
        return as_json(200, [self._record(each) for each in responses if path["tag"] in each.tags])

    def _get_response(self, _: Incoming, path: Mapping[str, str]) -> Answer:
        response = self._response(path)
        if response is None:
            told = f"Response version '{path['version']}' for request '{path['id']}' does not exists."
            return detail(404, told)
        return as_json(200, self._record(response))

    def _content(self, _: Incoming, path: Mapping[str, str]) -> Answer:
        response = self._response(path)
        if response is None or response.content_attributes is None:  # or it waits
            return failure()
        if response.content_download_path is None and not self._has(Quirk.EARLY_CONTENT):
            return detail(404, f"Response version '{response.version}' has no content.")
        content = self._store.files.get((response.request_id, response.version))
        return content_answer(response.content_attributes, content, as_text=self._has(Quirk.TEXT_MODE))

    def _pin(self, incoming: Incoming, path: Mapping[str, str]) -> Answer:
        self._store.pins.append(Claim(path["id"], path["version"], read_pin(incoming)))
        return self._claimed(incoming, path)

    def _tag(self, incoming: Incoming, path: Mapping[str, str]) -> Answer:
        self._store.tags.append(Claim(path["id"], path["version"], read_tag(incoming)))
        return self._claimed(incoming, path)

    def _claimed(self, incoming: Incoming, path: Mapping[str, str]) -> Answer:
        """The server returns nothing where FastAPI expects a response; from 0.80 on FastAPI minds."""
        if self._has(Quirk.CLAIM_ANSWERS):
            return failure() if self._settings.fastapi == "0.99.1" else as_json(200, None)
        self._claims.apply()
        return self._get_response(incoming, path)

    def _request(self, path: Mapping[str, str]) -> Request:
        if path["id"] not in self._store.requests:
            raise Refused(failure())
        return self._store.requests[path["id"]]

    def _response(self, path: Mapping[str, str]) -> Response | None:
        if path["version"] != "latest":
            return self._store.response(path["id"], path["version"])
        responses = self._store.responses(path["id"])
        return responses[-1 if self._has(Quirk.OLDEST_FIRST) else 0] if responses else None

    def _matching(self, request_id: str, query: Record) -> list[Response]:
        status, tag = query["status"], query["tag"]
        return [
            each
            for each in self._store.responses(request_id)
            if status in (None, each.status) and (tag is None or tag in each.tags)
        ]

    def _record(self, response: Response) -> Record:
        """As it was written, or with the neighbours it has."""
        if self._has(Quirk.OLDEST_FIRST):
            return response.record()
        versions = [None, *(each.version for each in self._store.responses(response.request_id)), None]
        place = versions.index(response.version)
        return response.record() | {"next_version": versions[place - 1], "previous_version": versions[place + 1]}

    def _has(self, quirk: Quirk) -> bool:
        return quirk in self._settings.quirks


def _query(fields: Mapping[str, Field], incoming: Incoming) -> Record:
    """The last of several parameters of a name counts."""
    try:
        return read_fields(fields, dict(incoming.query))
    except Wrong as wrong:
        refuse(wrong, "query")


def _page(found: list[T], query: Record) -> list[T]:
    """A limit of 0 is none; negative ones count from the end."""
    skip, limit = query["skip"], query["limit"]
    return found[skip : skip + limit if limit else None]
