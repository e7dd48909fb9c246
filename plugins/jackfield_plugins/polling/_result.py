"""The result of a job that is done: in the answer that says so, or at a URL that the service names somewhere."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from jackfield import ContractError, FieldPath, Request, Response, field_path, follow

from ._fields import find

SEE_OTHER = (302, 303)


class Result(NamedTuple):
    """Where the result is. The first that is there: a redirect, `link`, `header`, `start`, and last `field`.

    Attributes:
        field: the place of the result in the answer that says that the job is done; "": that whole answer.
        link: the place of its URL there.
        header: header with its URL, of that answer or of the one that started the job.
        start: whether it is where the job was asked for, as after a PUT.
        redirect: whether the state's URL redirects to it.
    """

    field: FieldPath = ""
    link: FieldPath = ""
    header: str = ""
    start: bool = False
    redirect: bool = False

    def checked(self) -> Self:
        """These, if they make sense; raises ConfigurationError."""
        for place in (self.field, self.link):
            field_path(place)
        return self

    def known(self, request: Request, response: Response) -> str:
        """Its URL, as far as the job's start tells it: absolute, "" if not at all."""
        reference = one(response, self.header) if self.header else None
        if reference is not None:
            return absolute(follow(request, reference))
        return absolute(request) if self.start else ""

    def reference(self, response: Response, content: Any, known: str) -> str | None:
        """Its URL, absolute or relative to that of the answer; None: it is in the answer."""
        if self.redirect and response.status in SEE_OTHER:
            return one(response, "location")
        found = find(content, self.link) if self.link else None
        if found:
            reference: str = found  # `follow` says so if it is none
            return reference
        return (one(response, self.header) if self.header else None) or known or None


def one(response: Response, header: str) -> str | None:
    """A header's one value; None if it is not there.

    Raises:
        ContractError: it has several.
    """
    values = dict.fromkeys(response.headers.get_all(header))
    if len(values) > 1:
        raise ContractError(f"the answer has {len(values)} different values of {header}, and leads nowhere")
    return next(iter(values), None)


def absolute(request: Request) -> str:
    """The URL of a request, with its query."""
    return f"{request.url.origin}{request.target}"
