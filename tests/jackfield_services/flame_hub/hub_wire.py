"""Raw talk with the FLAME Hub emulator: HTTP as it is, and no client's code."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jackfield_services.flame_hub.emulator import FlameHubEmulator

NOON = 1795176000.0  # 2026-11-20T12:00:00Z
NO_SUCH = "c6a160a0-2dc2-4b74-b42d-fbb8d836e53c"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        """The record or the list, whatever is around it."""
        return self.json.get("data", self.json)

    @property
    def refusal(self) -> tuple[int, str, str]:
        assert self.json["statusCode"] == self.status
        return self.status, self.json["code"], self.json["message"]


def ask(
    url: str, method: str, path: str, body: Any = None, *, token: str = "", headers: Mapping[str, str] | None = None
) -> Reply:
    """One request on a connection of its own; a body that is not bytes goes as JSON."""
    sent = dict(headers or {})
    if token:
        sent["Authorization"] = f"Bearer {token}"
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)) as connection:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())


def grant(hub: FlameHubEmulator, **asked: Any) -> Reply:
    return ask(hub.auth_url, "POST", "/token", asked)


def login(hub: FlameHubEmulator) -> Any:
    """The token endpoint's answer to the password."""
    return grant(hub, grant_type="password", username="admin", password="start123").json


class Session:
    """Asks with a token: `session.core("GET", "/nodes")`."""

    def __init__(self, hub: FlameHubEmulator) -> None:
        self.hub = hub
        self.token = login(hub)["access_token"]
        self.old = hub.generation == "0.1.1"

    def auth(self, method: str, path: str, body: Any = None) -> Reply:
        return ask(self.hub.auth_url, method, path, body, token=self.token)

    def core(self, method: str, path: str, body: Any = None) -> Reply:
        return ask(self.hub.core_url, method, path, body, token=self.token)

    def storage(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        return ask(self.hub.storage_url, method, path, body, token=self.token, headers=headers)

    def named(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record with its names in snake_case."""
        return {"".join(f"_{c.lower()}" if c.isupper() else c for c in name): value for name, value in record.items()}

    def wire(self, **fields: Any) -> dict[str, Any]:
        """Fields with their names as this generation writes them."""
        if self.old:
            return fields
        words = {name: name.split("_") for name in fields}
        return {parts[0] + "".join(map(str.title, parts[1:])): fields[name] for name, parts in words.items()}

    def make(self, path: str, /, **fields: Any) -> dict[str, Any]:
        """A new record of the service that has this path, with its names in snake_case."""
        url = {"buckets": self.hub.storage_url}.get(path, self.hub.auth_url if path in AUTH else self.hub.core_url)
        reply = ask(url, "POST", f"/{path}", self.wire(**fields), token=self.token)
        assert reply.status == 201, reply.body
        return self.named(reply.data)

    def master_realm(self) -> str:
        realm: str = self.auth("GET", "/realms?filter[name]=master").data[0]["id"]
        return realm

    def analysis(self) -> dict[str, Any]:
        """A project with an image, and an analysis in it."""
        image = self.core("GET", "/master-images").data[0]["id"]
        project = self.make("projects", name="project", master_image_id=image)
        return self.make("analyses", name="analysis", project_id=project["id"])


AUTH = (
    "realms",
    "robots",
    "clients",
    "users",
    "roles",
    "permissions",
    "role-permissions",
    "user-permissions",
    "user-roles",
)
