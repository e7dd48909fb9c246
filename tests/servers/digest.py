"""A Digest server that checks every answer from scratch (RFC 7616 §3.4), with nothing of ours."""

from __future__ import annotations

import hashlib
import re
import threading
from unicodedata import normalize
from urllib.parse import unquote

from jackfield import Headers, Request, Response

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
FIELD = re.compile(r'([a-z]+\*?)=("(?:[^"\\]|\\.)*"|[^",\s]+)(?:, |$)')
QUOTED = {"username", "realm", "nonce", "uri", "response", "cnonce", "opaque"}


class DigestServer:
    """Answers 401 to what is not right, and says why in `wrong`.

    Args:
        algorithms: what is offered, in one line each; None is offered without saying so.
        uses: how often a nonce may be used before it is stale.
        announces: tell the next nonce when this one was used so often.
    """

    def __init__(
        self,
        *algorithms: str | None,
        qop: str | None = "auth",
        user: str = "Mufasa",
        password: str = "Circle of Life",
        realm: str = 'a "realm" \\ of h',
        userhash: bool = False,
        charset: bool = True,
        uses: int = 1000,
        announces: int = 1000,
    ) -> None:
        self.algorithms = algorithms or ("SHA-256",)
        self.qop, self.realm, self.userhash, self.charset = qop, realm, userhash, charset
        self.uses, self.announces = uses, announces
        name, word = normalize("NFC", user), normalize("NFC", password)
        encoding = "utf-8" if charset or max(name + word, default="") > "\xff" else "latin-1"
        self.user, self.password = name.encode(encoding), word.encode(encoding)
        self.issued: list[str] = []
        self.counts: dict[str, list[int]] = {}
        self.begun: dict[str, tuple[str, str]] = {}  # of a session: its first nonce and cnonce
        self.wrong: list[str] = []
        self.right: list[dict[str, str]] = []
        self.guard = threading.Lock()

    def __call__(self, request: Request) -> Response:
        with self.guard:
            header = request.headers.get("authorization")
            if header is None:
                return self.challenge()
            fields, fault = self.checked(request, header)
            if fault:
                self.wrong.append(fault)
                return self.challenge(stale=fault == "stale")
            self.right.append(fields)
            return Response(200, self.info(fields), b"let in")

    def info(self, fields: dict[str, str]) -> Headers:
        if len(self.counts[fields["nonce"]]) < self.announces:
            return Headers({"authentication-info": 'qop=auth, rspauth="00"'})
        nonce = self.nonce()
        self.begun[nonce] = self.begun.get(fields["nonce"], ("", ""))
        return Headers({"Authentication-Info": f'qop=auth, nextnonce="{escaped(nonce)}"'})

    def nonce(self) -> str:
        self.issued.append(f'n{len(self.issued)}\\"/=')
        self.counts[self.issued[-1]] = []
        return self.issued[-1]

    def challenge(self, *, stale: bool = False) -> Response:
        rest = f'realm="{escaped(self.realm)}", nonce="{escaped(self.nonce())}", opaque="o\\"p"'
        rest += "" if self.qop is None else f', qop="{self.qop}"'
        rest += ", userhash=true" * self.userhash + ", charset=UTF-8" * self.charset + ", stale=TRUE" * stale
        lines = [f"Digest {rest}{'' if name is None else f', algorithm={name}'}" for name in self.algorithms]
        return Response(401, Headers([("WWW-Authenticate", line) for line in ['Basic realm="h"', *lines]]))

    def checked(self, request: Request, header: str) -> tuple[dict[str, str], str]:
        fields: dict[str, str] = {}
        at = len("Digest ")
        assert header.startswith("Digest ")
        while at < len(header):
            match = FIELD.match(header, at)
            assert match, header[at:]
            name, value = match.groups()
            assert name not in fields
            assert (name in QUOTED) == value.startswith('"'), match[0]
            fields[name] = re.sub(r"\\(.)", r"\1", value[1:-1]) if name in QUOTED else value
            at = match.end()
        nonce = fields["nonce"]
        if nonce not in self.counts:
            return fields, "unknown nonce"
        if len(self.counts[nonce]) >= self.uses:
            return fields, "stale"
        return fields, self.fault(request, fields)

    def fault(self, request: Request, fields: dict[str, str]) -> str:
        assert fields["uri"] == request.target
        assert fields["realm"] == self.realm
        assert fields["opaque"] == 'o"p'
        algorithm = fields.get("algorithm")
        assert algorithm in self.algorithms
        self.check_user(fields, algorithm)
        parts = [self.key(fields, algorithm), fields["nonce"]]
        if self.qop is None:
            assert not {"qop", "nc", "cnonce"} & fields.keys()
            self.counts[fields["nonce"]].append(0)
        else:
            assert fields["qop"] in self.qop.split(", ")
            assert re.fullmatch("[0-9a-f]{8}", fields["nc"])
            count = int(fields["nc"], 16)
            if count < 1 or count in self.counts[fields["nonce"]]:
                return "replayed"
            self.counts[fields["nonce"]].append(count)
            parts += [fields["nc"], fields["cnonce"], fields["qop"]]
        wanted = digest(algorithm, *parts, digest(algorithm, *self.subject(request, fields, algorithm)))
        return "" if fields["response"] == wanted else "wrong"

    def subject(self, request: Request, fields: dict[str, str], algorithm: str | None) -> list[str]:
        subject = [request.method, fields["uri"]]
        if fields.get("qop") == "auth-int":
            body = request.body if isinstance(request.body, bytes) else b"".join(request.body)
            subject.append(hashlib.new(HASHES[basic_name(algorithm)], body).hexdigest())
        return subject

    def check_user(self, fields: dict[str, str], algorithm: str | None) -> None:
        if self.userhash:
            assert fields["userhash"] == "true"
            assert fields["username"] == digest(algorithm, self.user.decode("latin-1"), self.realm)
        elif "username*" in fields:
            assert "username" not in fields
            charset, language, name = fields["username*"].split("'")
            assert (charset, language, unquote(name).encode()) == ("UTF-8", "", self.user)
            assert re.fullmatch(r"(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})+", name)
        else:
            assert fields["username"].encode("latin-1") == self.user
        assert self.userhash == ("userhash" in fields)

    def key(self, fields: dict[str, str], algorithm: str | None) -> str:
        key = digest(algorithm, self.user.decode("latin-1"), self.realm, self.password.decode("latin-1"))
        if not (algorithm or "").endswith("-sess"):
            return key
        begun = self.begun.get(fields["nonce"]) or (fields["nonce"], fields["cnonce"])
        self.begun[fields["nonce"]] = begun
        return digest(algorithm, key, *begun)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def basic_name(algorithm: str | None) -> str:
    return (algorithm or "MD5").removesuffix("-sess")


def digest(algorithm: str | None, *parts: str) -> str:
    return hashlib.new(HASHES[basic_name(algorithm)], ":".join(parts).encode("latin-1")).hexdigest()
