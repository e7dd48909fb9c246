"""Buffy's own documentation: its examples' calls, as they stand there, on URLs of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.servers import ReceivedRequest, ScriptedServer, Serve
from tests.servers.buffy import Buffy
from tests.servers.origin import BLOB, Origin
from tests.servers.ranges import Ranges

from jackfield_services.buffy import BuffyPyClient, ReCachingStrategy, RequestCacheConfiguration

SPARQL = """
SELECT DISTINCT ?country ?name WHERE {
    ?country p:P31/ps:P31 wd:Q6256 ;
    SERVICE wikibase:label { bd:serviceParam wikibase:language "en" . }
} ORDER BY ?name
"""
COUNTRIES = {"results": ["Côte d'Ivoire", "España", "Österreich"]}
MAILMAP = b"Aaron <aaron@example.org>\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The examples write into `mydata`, where they are run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mydata").mkdir()
    return tmp_path


@pytest.fixture
def clients(group: str) -> Iterator[list[BuffyPyClient]]:
    """What is in it is closed; the examples do not."""
    made: list[BuffyPyClient] = []
    yield made
    for one in made:
        one.close()


@pytest.fixture
def mailmap(serve: Serve) -> str:
    return f"{serve(*[Ranges(MAILMAP, headers={'content-type': 'text/plain'})] * 9).url}/.mailmap"


def connect(buffy: Buffy, clients: list[BuffyPyClient], **more: Any) -> BuffyPyClient:
    """A client as the examples make theirs."""
    client = BuffyPyClient(host="localhost", port=urlsplit(buffy.url).port or 0, ssl=False, **more)
    clients.append(client)
    return client


def test_the_readme_saves_into_a_folder(
    buffy_server: Buffy, clients: list[BuffyPyClient], origin: Origin, folder: Path, group: str
) -> None:
    c = connect(buffy_server, clients, group_name=group)

    req = c.create_request(url=origin.url("/blob"))
    req.download_response_content_to(dir=folder)

    assert (folder / "blob file.bin").read_bytes() == BLOB


def test_remote_data_every_quarter(buffy_server: Buffy, clients: list[BuffyPyClient], serve: Serve, group: str) -> None:
    data = json.dumps(COUNTRIES, ensure_ascii=False).encode()
    asked = _Noting(data)
    server: ScriptedServer = serve(*[asked] * 9)
    c = connect(buffy_server, clients, group_name=group)
    strategy = ReCachingStrategy.age(seconds=60 * 60 * 24 * 92)
    config = RequestCacheConfiguration(recaching_strategy=strategy, max_cached_unpinned_versions=3)

    req = c.create_request(
        url=f"{server.url}/sparql",
        http_query_params={"format": "json", "query": SPARQL},
        http_header_fields={"user-agent": "MyTestClient", "Accept": "application/json"},
        cache_configuration=config,
    )
    countries = ""
    for chunk in req.download_response_content():
        countries += chunk.decode("utf-8")

    assert json.loads(countries) == COUNTRIES
    (got,) = [request for request in asked.requests if request.line.startswith("GET ")]
    assert got.line.startswith("GET /sparql?format=json&query=%0ASELECT")
    assert got.get_all("user-agent") == ["MyTestClient"]
    assert got.get_all("accept") == ["application/json"]


def test_pinning_a_certain_version(buffy_server: Buffy, clients: list[BuffyPyClient], mailmap: str, group: str) -> None:
    c = connect(buffy_server, clients, group_name=group)
    strategy = ReCachingStrategy.when_remote_changed()
    config = RequestCacheConfiguration(recaching_strategy=strategy, max_cached_unpinned_versions=3)
    req = c.create_request(url=mailmap, cache_configuration=config)

    req.download_response_content_to("mydata/mailmap")
    version_name: str = req.pin()

    assert Path("mydata/mailmap").read_bytes() == MAILMAP
    assert [one.version for one in req.list_cached_response_versions() if one.is_pinned] == [version_name]


def test_tagging_a_certain_version_and_recalling_it(
    buffy_server: Buffy, clients: list[BuffyPyClient], mailmap: str, group: str
) -> None:
    c = connect(buffy_server, clients, group_name=group)
    strategy = ReCachingStrategy.when_remote_changed()
    config = RequestCacheConfiguration(recaching_strategy=strategy, max_cached_unpinned_versions=3)
    req = c.create_request(url=mailmap, cache_configuration=config)
    req.download_response_content_to("mydata/mailmap")
    version_name: str = req.tag("my-best-version")

    c = connect(buffy_server, clients, group_name=group)
    req = c.create_request(url=mailmap, hold_request_order=True)
    req.order(prefer_tag="my-best-version")
    req.download_response_content_to("mydata/mailmap")

    assert req.response_version == version_name
    assert Path("mydata/mailmap").read_bytes() == MAILMAP


def test_the_docstrings_examples(
    buffy_server: Buffy, clients: list[BuffyPyClient], serve: Serve, folder: Path, group: str
) -> None:
    page = Ranges(b"<p>Awesome</p>", headers={"content-type": "text/html"})
    c = connect(buffy_server, clients, group_name=group)

    req = c.create_request(url=f"{serve(*[page] * 9).url}/awesome/:tim")
    content_path = req.download_response_content_to(dir=str(folder))
    cached_responses = req.list_cached_versions()

    assert str(content_path) == str(folder / "download.html")
    assert content_path.read_bytes() == page.data
    assert [resp.version for resp in cached_responses] == [req.response_version]


def test_a_client_out_of_the_environment(
    buffy_server: Buffy, clients: list[BuffyPyClient], mailmap: str, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUFFY_SERVER_URL", buffy_server.url)
    monkeypatch.setenv("BUFFY_GROUP_NAME", group)
    monkeypatch.setenv("BUFFY_LOCAL_DOWNLOAD_FALLBACK", "false")
    c = BuffyPyClient.from_env()
    clients.append(c)

    req = c.create_request(mailmap)

    assert b"".join(req.download_response_content()) == MAILMAP
    assert [one.group_name for one in c.list_requests(group_name=group)] == [group]


class _Noting(Ranges):
    """Remembers what was asked for."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data, headers={"content-type": "application/json"})
        self.requests: list[ReceivedRequest] = []

    def reply(self, peer: Any, request: ReceivedRequest) -> None:
        self.requests.append(request)
        super().reply(peer, request)
