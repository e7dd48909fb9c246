"""The server that is asked: a process of its own on a free loopback port, nginx if there is one. Not the clients.

Both kinds answer every GET with the same JSON, and 401 without an `Authorization` header, so that nobody can forget it.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

MACHINE_ID = "6f9619ff-8b86-4011-b42d-00cf4fc964ff"
PATH = f"/prod/networks/{MACHINE_ID}"  # where botocore's MediaLive client looks, too
BODY = (
    f'{{"id": "{MACHINE_ID}", "name": "web-0042", "state": "Running", "tags": ["web", "production"], "cpus": 4, '
    '"memory": 8192, "zone": "eu-central-1a", "address": "10.1.2.42", "created": "2026-03-14T15:09:26Z"}'
)

_NGINX = """
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events { worker_connections 256; }
http {
    access_log off; server_tokens off; default_type application/json;
    keepalive_timeout 600s; keepalive_requests 1000000000;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    server {
        listen 127.0.0.1:%d;
        location / { if ($http_authorization = "") { return 401; } return 200 '%s'; }
    }
}
"""


class Origin(NamedTuple):
    """A running server. `kind` is for the table's head."""

    kind: str
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@contextmanager
def serving() -> Generator[Origin]:
    """Starts the server, waits until it answers, and ends it (only it, by its process id) at the end."""
    with tempfile.TemporaryDirectory(prefix="jackfield-bench-") as folder:
        port = _free_port()
        nginx = shutil.which("nginx")
        if nginx:
            config = Path(folder, "nginx.conf")
            config.write_text(_NGINX % (port, BODY))
            command = [nginx, "-p", folder, "-e", "stderr", "-c", str(config)]
        else:
            command = [sys.executable, __file__, str(port)]
        process = subprocess.Popen(command)  # noqa: S603 - our own file, or nginx of the PATH
        try:
            _wait_for(port, process)
            yield Origin("nginx" if nginx else "asyncio.Protocol", "127.0.0.1", port)
        finally:
            process.terminate()
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(500):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit(f"the origin does not start: {process.args!r}")


class _Answering(asyncio.Protocol):
    """Reads heads of requests without a body, and answers each."""

    _ok = (
        "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Sat, 14 Mar 2026 15:09:26 GMT\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\nConnection: keep-alive\r\n\r\n{BODY}"
    ).encode()
    _unauthorized = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._read = b""

    def data_received(self, data: bytes) -> None:
        self._read += data
        while b"\r\n\r\n" in self._read:
            head, _, self._read = self._read.partition(b"\r\n\r\n")
            self._transport.write(self._ok if b"\r\nauthorization:" in head.lower() else self._unauthorized)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
