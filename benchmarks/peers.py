"""The peers, each as its documentation shows it, with one client for all calls. jackfield itself is in `ours`."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from typing import Any

from urllib3 import HTTPConnectionPool, PoolManager

from benchmarks.origin import MACHINE_ID, PATH, Origin
from benchmarks.rounds import AsyncCall, Contestant, Group, SyncCall

_HEADERS = {"Authorization": "Bearer token-of-the-benchmark"}
_KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")  # the ones of AWS's documentation


def _peer(name: str) -> Any:
    """A library that may be missing or have no types: the only place where they are let in."""
    return import_module(name)


@contextmanager
def _pool_manager(origin: Origin) -> Generator[SyncCall]:
    url = origin.url + PATH
    with PoolManager() as pools:
        yield lambda: json.loads(pools.request("GET", url, headers=_HEADERS).data)


@contextmanager
def _urlopen(origin: Origin) -> Generator[SyncCall]:
    with HTTPConnectionPool(origin.host, origin.port) as pool:
        yield lambda: json.loads(pool.urlopen("GET", PATH, headers=_HEADERS).data)


@contextmanager
def _httpx(origin: Origin) -> Generator[SyncCall]:
    with _peer("httpx").Client(base_url=origin.url, headers=_HEADERS) as client:
        yield lambda: client.get(PATH).json()


@contextmanager
def _requests(origin: Origin) -> Generator[SyncCall]:
    url = origin.url + PATH
    with _peer("requests").Session() as session:
        session.headers.update(_HEADERS)
        yield lambda: session.get(url).json()


@contextmanager
def _botocore_parts(origin: Origin) -> Generator[SyncCall]:
    request = _peer("botocore.awsrequest").AWSRequest
    signer = _peer("botocore.auth").SigV4Auth(_peer("botocore.credentials").Credentials(*_KEYS), "bench", "eu-west-1")
    session = _peer("botocore.httpsession").URLLib3Session()
    url = origin.url + PATH

    def call() -> object:
        signed = request("GET", url)
        signer.add_auth(signed)
        return json.loads(session.send(signed.prepare()).content)

    yield call
    session.close()


@contextmanager
def _botocore_client(origin: Origin) -> Generator[SyncCall]:
    client = (
        _peer("botocore.session")
        .Session()
        .create_client(
            "medialive",
            region_name="eu-west-1",
            endpoint_url=origin.url,
            aws_access_key_id=_KEYS[0],
            aws_secret_access_key=_KEYS[1],
        )
    )
    yield lambda: client.describe_network(NetworkId=MACHINE_ID)
    client.close()


@asynccontextmanager
async def _aiohttp(origin: Origin) -> AsyncGenerator[AsyncCall]:
    async with _peer("aiohttp").ClientSession(origin.url, headers=_HEADERS) as session:

        async def call() -> object:
            async with session.get(PATH) as response:
                return await response.json()

        yield call


@asynccontextmanager
async def _httpx_async(origin: Origin) -> AsyncGenerator[AsyncCall]:
    async with _peer("httpx").AsyncClient(base_url=origin.url, headers=_HEADERS) as client:

        async def call() -> object:
            return (await client.get(PATH)).json()

        yield call


PEERS = (
    Contestant(Group.SYNC, "urllib3 PoolManager.request, json.loads", sync=_pool_manager),
    Contestant(Group.SYNC, "urllib3 HTTPConnectionPool.urlopen, json.loads", sync=_urlopen),
    Contestant(Group.SYNC, "httpx.Client", sync=_httpx),
    Contestant(Group.SYNC, "requests.Session", sync=_requests),
    Contestant(Group.SYNC, "botocore AWSRequest, SigV4, URLLib3Session, json.loads", sync=_botocore_parts),
    Contestant(Group.SYNC, "botocore client, SigV4 (medialive.describe_network)", sync=_botocore_client),
    Contestant(Group.ASYNC, "aiohttp.ClientSession", asynchronous=_aiohttp),
    Contestant(Group.ASYNC, "httpx.AsyncClient", asynchronous=_httpx_async),
)
