"""What a `FaultServer` may do with a request, as values. Any function of a `Peer` will do as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from jackfield import ConfigurationError

from ._peer import Ending, Peer

Behaviour: TypeAlias = Callable[[Peer], None]
Framing: TypeAlias = Literal["length", "chunked", "close"]


def _check_word(name: str, word: str, words: tuple[str, ...]) -> None:
    if word not in words:
        raise ConfigurationError(f"{name} must be one of {', '.join(map(repr, words))}, not {word!r}")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer.

    Args:
        status: any number.
        body: as it goes out; compress it yourself, and say so in a header.
        headers: sent as they are. A Content-Length or Transfer-Encoding among them is believed, be it right or wrong.
        framing: where the body ends (RFC 9112 §6.3): a length, chunks, or the end of the connection.
        interim: statuses of the 1xx answers that come first.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    framing: Framing = "length"
    interim: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.status, int) or not isinstance(self.body, bytes):
            raise ConfigurationError(f"a reply has a number for its status, and bytes for its body, not {self!r}")
        _check_word("framing", self.framing, get_args(Framing))

    def wire(self, *, to_head: bool = False) -> bytes:
        """Its bytes; those for a HEAD request have no body."""
        before = "".join(f"HTTP/1.1 {status} \r\n\r\n" for status in self.interim)
        fields = "".join(f"{name}: {value}\r\n" for name, value in {**self._framing(), **self.headers}.items())
        head = f"{before}HTTP/1.1 {self.status} \r\n{fields}\r\n".encode("latin-1")
        return head if to_head or self._bodiless else head + self._body()

    def __call__(self, peer: Peer) -> None:
        peer.send(self.wire(to_head=peer.request().line.startswith("HEAD ")))
        if self.framing == "close":
            peer.end("close")

    @property
    def _bodiless(self) -> bool:
        return self.status in (204, 304)  # RFC 9112 §6.3

    def _framing(self) -> dict[str, str]:
        given = {name.lower() for name in self.headers}
        if self._bodiless or "content-length" in given or "transfer-encoding" in given:
            return {}
        lines = {"length": {"content-length": str(len(self.body))}, "chunked": {"transfer-encoding": "chunked"}}
        return lines.get(self.framing, {"connection": "close"})

    def _body(self) -> bytes:
        if self.framing != "chunked":
            return self.body
        half = (len(self.body) + 1) // 2
        chunks = [self.body[:half], self.body[half:]]
        return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk) + b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Cut:
    """The beginning of an answer, and then an end that was not agreed upon.

    Args:
        by: `"close"`, `"reset"`, `"half-close"` (sends no more, and listens), or `"stall"` (says nothing until the
            client leaves).
        after: bytes of the answer that arrive first; None: all.
        of: the answer; bytes may be anything, garbage say.
    """

    by: Ending = "close"
    after: int | None = None
    of: Reply | bytes = Reply()

    def __post_init__(self) -> None:
        if self.after is not None and self.after < 0:
            raise ConfigurationError(f"after must be a number of bytes, 0 or more, not {self.after}")
        _check_word("by", self.by, get_args(Ending))
        _wire(self.of)

    def __call__(self, peer: Peer) -> None:
        peer.request()
        peer.send(_wire(self.of)[: self.after])
        peer.end(self.by)


@dataclass(frozen=True, slots=True)
class Drip:
    """An answer that comes a few bytes at a time.

    Args:
        of: the answer; bytes may be anything.
        every: seconds between two pieces.
        size: bytes of a piece.
    """

    of: Reply | bytes
    every: float = 0.01
    size: int = 1

    def __post_init__(self) -> None:
        if self.size < 1 or self.every < 0:
            raise ConfigurationError(f"a drip has 1 byte or more, every 0 seconds or more, not {self!r}")
        _wire(self.of)

    def __call__(self, peer: Peer) -> None:
        peer.request()
        wire = _wire(self.of)
        peer.drip((wire[at : at + self.size] for at in range(0, len(wire), self.size)), self.every)


@dataclass(frozen=True, slots=True)
class HangUp:
    """A connection that ends before its request is read; a new one ends at once, before any TLS handshake."""

    by: Ending = "reset"

    def __post_init__(self) -> None:
        _check_word("by", self.by, get_args(Ending))

    def __call__(self, peer: Peer) -> None:
        peer.end(self.by)


def redirect(location: str, status: int = 302) -> Reply:
    """An answer that sends the client elsewhere."""
    return Reply(status, headers={"location": location})


def storm(times: int, status: int = 503, retry_after: str | None = None) -> Iterable[Reply]:
    """So many answers that say "not now"; `retry_after` is the header's value, seconds or a date."""
    return [Reply(status, headers={} if retry_after is None else {"retry-after": retry_after})] * times


def _wire(answer: Reply | bytes) -> bytes:
    if not isinstance(answer, Reply | bytes):
        raise ConfigurationError(f"what is cut or dripped is a Reply(...) or bytes, not {answer!r}")
    return answer if isinstance(answer, bytes) else answer.wire()
