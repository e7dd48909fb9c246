"""Reading challenges (RFC 9110 §11.3, §11.6.1): what `WWW-Authenticate` and its like say, in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

# RFC 9110 §5.6.2 token, §5.6.4 quoted-string, §11.2 token68. Nothing here backtracks.
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_QUOTED = r'"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]++|\\[\t\x20-\x7e\x80-\xff])*+)"'
_END = r"[ \t]*+(?=,|\Z)"

# §5.6.1.2: a list may have empty elements. §11.3: auth-scheme [ 1*SP ( token68 / #auth-param ) ].
_nothing = re.compile(r"[ \t,]*+").match
_scheme = re.compile(rf"({_WORD})(?:[ \t]++(?!=)|(?=,|\Z))").match
_token68 = re.compile(rf"([A-Za-z0-9._~+/-]++=*+){_END}").match
_param = re.compile(rf"({_WORD})[ \t]*+=[ \t]*+(?:({_WORD})|{_QUOTED}){_END}").match
_malformed = re.compile(r'(?:[^",]++|"(?:[^"\\]++|\\.)*(?:"|\\?\Z))*', re.DOTALL).match
_unescape = re.compile(r"\\(.)").sub


class Challenge(NamedTuple):
    """What a server asks for, by one scheme.

    Attributes:
        scheme: in lower case.
        params: by name in lower case; values unquoted, octets beyond ASCII read as latin-1.
        token68: what some schemes have in place of parameters.
    """

    scheme: str
    params: dict[str, str]
    token68: str | None = None


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """The challenges of some field lines (`headers.get_all("www-authenticate")`), in order.

    Raises nothing. What is malformed spoils the challenge that it stands in, and no other; a quote that is never closed
    takes the rest of its line with it. A parameter that is there already, or that stands beside a token68, spoils its
    challenge too. No challenge goes on in the next line.
    """
    return [draft.challenge() for line in values for draft in _drafts(line) if draft.is_sound]


class _Draft:
    """A challenge of which more may come."""

    def __init__(self, scheme: str, *, takes_params: bool, is_sound: bool = True) -> None:
        self._scheme = scheme.lower()
        self._params: dict[str, str] = {}
        self._token68: str | None = None
        self._takes_params = takes_params
        self.is_sound = is_sound

    def challenge(self) -> Challenge:
        return Challenge(self._scheme, self._params, self._token68)

    def add(self, name: str, value: str) -> None:
        # §11.2: a parameter's name occurs only once in a challenge, whatever its case.
        self.is_sound &= self._takes_params and name.lower() not in self._params
        self._params[name.lower()] = value

    def take(self, token68: str) -> None:
        self._token68, self._takes_params = token68, False


def _drafts(line: str) -> list[_Draft]:
    drafts = [_Draft("", takes_params=False, is_sound=False)]  # for what comes before any scheme
    at = 0
    while (at := _end(_nothing(line, at))) < len(line):
        at = _read_element(line, at, drafts)
    return drafts


def _read_element(line: str, at: int, drafts: list[_Draft]) -> int:
    """Adds what stands here to the last draft, or begins another; gives where it ends."""
    if scheme := _scheme(line, at):
        at = scheme.end()
        drafts.append(_Draft(scheme[1], takes_params=line[at - 1] in " \t"))
        if line[at : at + 1] in ("", ","):
            return at
        if token68 := _token68(line, at):
            drafts[-1].take(token68[1])
            return token68.end()
    if param := _param(line, at):
        name, token, quoted = param.groups()
        drafts[-1].add(name, _unescape(r"\1", quoted) if token is None else token)
        return param.end()
    drafts[-1].is_sound = False
    return _end(_malformed(line, at))


def _end(match: re.Match[str] | None) -> int:
    assert match is not None  # the pattern matches nothing at all, too
    return match.end()
