"""Raw talk with the CloudStack emulator: HTTP as it is, and a signer made from the published examples."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jackfield_services.cloudstack.emulator import CloudStackEmulator, User

CREDENTIALS = "unable to verify user credentials and/or request signature"
NOON = 1795176000.0  # 2026-11-20T12:00:00Z


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def string_to_sign(parameters: Mapping[str, str]) -> str:
    names = sorted(parameters, key=lambda name: name.encode("utf-16-be"))
    pairs = (f"{name}={quote(parameters[name], safe='*').replace('~', '%7E')}" for name in names)
    return "&".join(pairs).lower()


def mac(text: str, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def signed(cloud: CloudStackEmulator, parameters: Mapping[str, str]) -> dict[str, str]:
    """All parameters of a call, in JSON and with this cloud's keys, and their signature."""
    whole = {"response": "json", "apiKey": cloud.api_key, **parameters}
    return {**whole, "signature": mac(string_to_sign(whole), cloud.api_secret)}


def connect(cloud: CloudStackEmulator) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", urlsplit(cloud.end_point).port or 0, timeout=30)


def ask(connection: http.client.HTTPConnection, method: str, target: str, body: bytes | None = None) -> Reply:
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
    connection.request(method, target, body, kind)
    answer = connection.getresponse()
    return Reply(answer.status, answer.headers, answer.read())


def plain(cloud: CloudStackEmulator) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(cloud.end_point).port or 0), timeout=10)


def target(cloud: CloudStackEmulator, command: str) -> str:
    return f"/client/api?{urlencode(signed(cloud, {'command': command}))}"


def get(cloud: CloudStackEmulator, query: str) -> Reply:
    """A GET of exactly this query."""
    with closing(connect(cloud)) as connection:
        return ask(connection, "GET", f"/client/api?{query}")


def post(cloud: CloudStackEmulator, body: str, query: str = "") -> Reply:
    with closing(connect(cloud)) as connection:
        return ask(connection, "POST", f"/client/api{query}", body.encode())


def call(cloud: CloudStackEmulator, command: str, **parameters: str) -> Reply:
    return call_with(cloud, {"command": command, **parameters})


def user_call(cloud: CloudStackEmulator, user: User, command: str, **parameters: str) -> Reply:
    """A GET with the keys of another than the first user."""
    whole = {"response": "json", "apiKey": user.api_key, "command": command, **parameters}
    return get(cloud, urlencode({**whole, "signature": mac(string_to_sign(whole), user.api_secret)}))


def call_with(cloud: CloudStackEmulator, parameters: Mapping[str, str]) -> Reply:
    return get(cloud, urlencode(signed(cloud, parameters)))


def raw(cloud: CloudStackEmulator, sent: bytes) -> bytes:
    """Everything the server says to these bytes, until it closes."""
    with plain(cloud) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def machines(cloud: CloudStackEmulator, **parameters: str) -> Any:
    return call(cloud, "listVirtualMachines", **parameters).json["listvirtualmachinesresponse"]


def zone_id(cloud: CloudStackEmulator) -> str:
    return str(call(cloud, "listZones").json["listzonesresponse"]["zone"][0]["id"])


def deploy(cloud: CloudStackEmulator, extra: Mapping[str, str] | None = None) -> Any:
    wanted = {"serviceofferingid": "small", "templateid": "debian", "zoneid": zone_id(cloud), **(extra or {})}
    reply = call_with(cloud, {"command": "deployVirtualMachine", **wanted})
    return reply.json["deployvirtualmachineresponse"]


def poll(cloud: CloudStackEmulator, job_id: str) -> Any:
    return call(cloud, "queryAsyncJobResult", jobid=job_id).json["queryasyncjobresultresponse"]


def finished(cloud: CloudStackEmulator, command: str, **parameters: str) -> Any:
    """The last report of the job that this command starts."""
    job_id = call(cloud, command, **parameters).json[f"{command.lower()}response"]["jobid"]
    for _ in range(100):
        report = poll(cloud, job_id)
        if report["jobstatus"] != 0:
            return report
    raise AssertionError("the job never ended")


def refusal(reply: Reply, envelope: str) -> tuple[int, int | None, str]:
    """errorcode, cserrorcode and errortext, once everything around them is as it should be."""
    (name, error), *rest = reply.json.items()
    assert (name, rest) == (envelope, [])
    assert reply.status == error["errorcode"]
    assert error["uuidList"] == []
    assert reply.headers["Content-Type"] == "application/json; charset=UTF-8"
    return error["errorcode"], error.get("cserrorcode"), error["errortext"]


class Visitor:
    """Somebody who logs in, and keeps cookies; `key` is the sessionkey of every request, None: none."""

    def __init__(self, cloud: CloudStackEmulator) -> None:
        self.cloud = cloud
        self.cookies: dict[str, str] = {}
        self.key: str | None = None

    def ask(self, command: str | None, *, method: str = "GET", **parameters: str) -> Reply:
        named = {"command": command, "response": "json", "sessionkey": self.key, **parameters}
        encoded = urlencode({name: value for name, value in named.items() if value is not None})
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        with closing(connect(self.cloud)) as connection:
            if method == "GET":
                connection.request("GET", f"/client/api?{encoded}", headers=headers)
            else:
                form = {"Content-Type": "application/x-www-form-urlencoded"}
                connection.request("POST", "/client/api", encoded, headers | form)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())

    def log_in(self, **parameters: str) -> Reply:
        """By the first user's name and password, unless the parameters say otherwise."""
        user = self.cloud.user
        self.key = None
        reply = self.ask("login", method="POST", **{"username": user.username, "password": user.password, **parameters})
        if reply.status == 200:
            self.key = reply.json["loginresponse"]["sessionkey"]
            found = (cookie.partition(";")[0].partition("=") for cookie in reply.headers.get_all("Set-Cookie", []))
            self.cookies = {name: value for name, _, value in found}
        return reply
