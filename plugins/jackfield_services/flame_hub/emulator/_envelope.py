"""What a generation puts around records, lists and refusals."""

from collections.abc import Sequence

from ._fields import Resource
from ._names import Generation, on_wire
from ._query import Selection
from ._wire import Answer, Headers, Json, Record, Refused, as_json


class Envelope:
    """Bare records and lists with a count in 0.1.1; `{data, meta}` around everything in 1.1.0."""

    def __init__(self, generation: Generation) -> None:
        self.generation: Generation = generation

    def one(self, status: int, record: Record, resource: Resource) -> Answer:
        """A record; where it was read the new generation describes it, too."""
        if self.generation == "0.1.1":
            return as_json(status, record)
        return as_json(status, {"data": record, "meta": self._schema(resource) if status == 200 else {}})

    def many(self, records: Sequence[Record], total: int, selection: Selection, resource: Resource) -> Answer:
        """A page; its limit and offset are told where a page was asked for, or the service makes one unasked."""
        meta: Record = {"total": total}
        if selection.limit is not None:
            meta |= {"limit": selection.limit, "offset": selection.offset}
        if self.generation == "1.1.0":
            meta |= self._schema(resource)
        return as_json(200, {"data": records, "meta": meta})

    def refusal(self, error: Refused, headers: Headers = ()) -> Answer:
        """An error: flat, in both."""
        payload: Record = {"statusCode": error.status, "code": error.code, "message": error.message}
        if error.oauth:
            payload |= {"error": "invalid_request", "error_description": error.message}
        if self.generation == "1.1.0":
            payload["issues"] = [*error.issues, *(_issue(name, more) for name, more in error.invalid)]
        elif error.invalid:
            payload["children"] = [{"path": name, "pathAbsolute": name, **more} for name, more in error.invalid]
            payload["attributes"] = [name for name, _ in error.invalid]
        return as_json(error.status, payload, headers)

    def _schema(self, resource: Resource) -> Record:
        def names(internal: Sequence[str]) -> list[Json]:
            return [on_wire(name, self.generation) for name in internal]

        fields = names(["id", *resource.fields, "created_at", "updated_at"])
        return {"schema": {"name": on_wire(resource.name, self.generation), "fields": fields}}


def _issue(name: str, more: Record) -> Record:
    return {"code": "valueInvalid", "message": f"The attribute {name} is invalid.", "path": [name], **more}
