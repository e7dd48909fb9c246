"""A transport that is broken on purpose, as others are: to show that a test can fail."""

from __future__ import annotations

import urllib3

from jackfield import Call, Request, Response, Urllib3Transport


class Careless(Urllib3Transport):
    """Reads whatever comes to its end, if there is one, and takes trouble for an empty success."""

    async def send(self, request: Request, call: Call) -> Response:
        with urllib3.PoolManager(retries=False) as pool:
            try:
                answer = pool.request(request.method, f"{request.url.origin}{request.target}", timeout=0.1)
                return Response(answer.status, {}, answer.data)
            except Exception:  # which is what is careless about it
                return Response(200)
