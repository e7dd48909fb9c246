"""Pages that the service links to: by a URL in the body, or by a Link header."""

from __future__ import annotations

from typing import Any, NamedTuple, Unpack

from jackfield import ContractError, Page, Request, Response, follow

from ._link import Link, parse_links
from ._places import Place, Scalar
from ._style import Layout, Style, hint_of


class LinkAt(NamedTuple):
    """The position that a link leads to, as the service gave it; an empty one is the first page.

    Attributes:
        link: absolute, or relative to `base`.
        base: the path of the page that held a relative link.
    """

    link: str = ""
    base: str = ""


class _Linked(Style[LinkAt]):
    """Links are followed within the service's origin; to another one they are a ContractError, also out of a token."""

    def first(self, service: Any) -> LinkAt:
        return LinkAt()

    def ask(self, at: LinkAt, request: Request) -> Request:
        if not at.link:
            return request
        return follow(follow(request, at.base) if at.base else request, at.link)

    def after(self, at: LinkAt, page: Page[Any]) -> LinkAt | None:
        more, link = hint_of(page)
        if more is False or (more is None and not link):
            return None
        if not isinstance(link, LinkAt):
            raise ContractError("the service says that there are more pages, and gives no link to them")
        return link


class NextUrl(_Linked):
    """Pages by a URL in the body of each answer that leads to the next. None, or an empty one, is the end.

    Args:
        found: where in an answer the URL is.
        layout: where in an answer the items and the rest are.
    """

    def __init__(self, found: Place = "next", **layout: Unpack[Layout]) -> None:
        super().__init__(then=found, **layout)

    def _then(self, request: Request, response: Response, found: Scalar) -> Any:
        if not found:
            return None
        if not isinstance(found, str):
            raise ContractError("the service's link to the next page is no string")
        return _position(request, found)


class LinkHeader(_Linked):
    """Pages by the `Link` header of each answer (RFC 8288). None to a next page is the end.

    Args:
        rel: the relation of the link that leads on.
        layout: where in an answer the items and the rest are.
    """

    def __init__(self, rel: str = "next", **layout: Unpack[Layout]) -> None:
        super().__init__(**layout)
        self._rel = rel.lower()

    def _then(self, request: Request, response: Response, found: Scalar) -> Any:
        links = parse_links(response.headers.get_all("link"))
        ours = (link.target for link in links if self._rel in link.rel and _is_about(request, link))
        target = next(ours, None)
        return None if target is None else _position(request, target)


def _position(request: Request, link: str) -> LinkAt:
    try:  # spelled in one way, so that it is known again
        leads = follow(request, link)
    except ContractError:
        pass  # it is told when somebody wants to go there
    else:
        return LinkAt(f"{leads.url.origin}{leads.target}" if leads.target.startswith("//") else leads.target)
    absolute = link.startswith("/") or ":" in link.partition("/")[0].partition("?")[0]
    return LinkAt(link, "" if absolute else request.url.path)


def _is_about(request: Request, link: Link) -> bool:
    """RFC 8288 §3.2: a link is from where its answer is to be found, unless an anchor says otherwise."""
    anchor = link.params.get("anchor")
    if anchor is None:
        return True
    try:
        about = follow(request, anchor)
    except ContractError:
        return False
    return "#" not in anchor and (about.url, about.target) == (request.url, request.target)
