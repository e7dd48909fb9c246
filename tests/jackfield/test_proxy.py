"""Which origin is reached through which proxy, and what makes no proxy at all."""

from __future__ import annotations

import pickle

import pytest

from jackfield import ConfigurationError, Origin, Proxy, Secret, Url


def reached(proxy: Proxy | None, url: str) -> str:
    """Through whom, and with what credentials; "" for directly."""
    server = None if proxy is None else proxy.server_for(Url.parse(url).origin)
    if server is None:
        return ""
    return str(server.origin) + (f" {server.authorization.reveal()}" if server.authorization else "")


def test_a_proxy_is_for_both_schemes() -> None:
    proxy = Proxy("http://proxy.test:3128")

    assert reached(proxy, "http://a.test") == "http://proxy.test:3128"
    assert reached(proxy, "https://a.test") == "http://proxy.test:3128"


@pytest.mark.parametrize("password", ["pa:ss ä", Secret("pa:ss ä")])
def test_user_and_password_make_a_basic_header_in_utf_8(password: str | Secret) -> None:
    proxy = Proxy("https://proxy.test", auth=("ada", password))

    assert reached(proxy, "http://a.test") == "https://proxy.test Basic YWRhOnBhOnNzIMOk"


@pytest.mark.parametrize(
    ("exception", "url", "direct"),
    [
        ("*", "http://a.test", True),
        ("a.test", "http://a.test", True),
        ("A.Test", "http://a.test", True),
        ("a.test", "http://a.TEST.", True),
        ("a.test.", "http://a.test", True),
        ("a.test", "http://b.a.test", True),
        (".a.test", "http://b.a.test", True),
        (".a.test", "http://a.test", True),
        ("*.a.test", "http://c.b.a.test", True),
        (" a.test ", "http://a.test", True),
        ("a.test", "http://ba.test", False),
        ("a.test", "http://a.test.b", False),
        ("test", "http://a.b.test", True),
        ("a.test:8080", "http://a.test:8080", True),
        ("a.test:8080", "http://a.test", False),
        ("a.test:80", "http://a.test", True),
        ("a.test:443", "https://a.test", True),
        ("127.0.0.1", "http://127.0.0.1:9", True),
        ("127.0.0.1:9", "http://127.0.0.1:9", True),
        ("127.0.0.1:9", "http://127.0.0.1:8", False),
        ("127.0.0.1", "http://127.0.0.2", False),
        ("0.0.1", "http://127.0.0.1", False),
        ("10.0.0.0/8", "http://10.255.0.1", True),
        ("10.1.2.3/8", "http://10.255.0.1", True),
        ("10.0.0.0/8", "http://11.0.0.1", False),
        ("10.0.0.0/8", "http://10.test", False),
        ("::1", "http://[::1]:8080", True),
        ("[::1]", "http://[::1]", True),
        ("0:0:0:0:0:0:0:1", "http://[::1]", True),
        ("fe80::/10", "http://[fe80::1]", True),
        ("fe80::/10", "http://[::1]", False),
        ("::/0", "http://10.0.0.1", False),
        ("", "http://a.test", False),
    ],
)
def test_an_exception_covers_what_it_says(exception: str, url: str, direct: bool) -> None:
    proxy = Proxy("http://proxy.test", no_proxy=["unrelated.example", exception])

    assert (reached(proxy, url) == "") is direct


@pytest.mark.parametrize("exception", ["a.test:http", "a.test:", "10.0.0.0/33", "a/b", ".", ":80", "a:b:c"])
def test_an_exception_that_says_nothing_is_refused(exception: str) -> None:
    with pytest.raises(ConfigurationError, match="no_proxy"):
        Proxy("http://proxy.test", no_proxy=[exception])


def test_exceptions_are_a_list() -> None:
    with pytest.raises(ConfigurationError, match="list"):
        Proxy("http://proxy.test", no_proxy="a.test,b.test")


@pytest.mark.parametrize(
    "url",
    ["proxy.test:3128", "socks5://proxy.test", "ftp://proxy.test", "http://", "http://u:pw@proxy.test", "http://p/x"],
)
def test_what_is_no_proxy_is_refused_and_its_password_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError, match="proxy") as caught:
        Proxy(url)

    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("user", ["a:b", "\udc00", 7])
def test_what_is_no_user_name_is_refused(user: str) -> None:
    with pytest.raises(ConfigurationError, match="user"):
        Proxy("http://proxy.test", auth=(user, "p"))


def test_an_empty_environment_names_no_proxy() -> None:
    assert Proxy.from_environment({}) is None
    assert Proxy.from_environment({"NO_PROXY": "a.test", "HTTP_PROXY": ""}) is None


@pytest.mark.parametrize(
    ("environment", "http", "https"),
    [
        ({"HTTP_PROXY": "http://p.test:1"}, "http://p.test:1", ""),
        ({"http_proxy": "http://p.test:1"}, "http://p.test:1", ""),
        ({"HTTPS_PROXY": "p.test:1"}, "", "http://p.test:1"),
        ({"HTTPS_PROXY": "https://p.test"}, "", "https://p.test"),
        ({"http_proxy": "http://low.test", "HTTP_PROXY": "http://up.test"}, "http://low.test", ""),
        ({"ALL_PROXY": "http://p.test"}, "http://p.test", "http://p.test"),
        ({"ALL_PROXY": "http://p.test", "HTTPS_PROXY": "http://q.test"}, "http://p.test", "http://q.test"),
        ({"HTTP_PROXY": "http://evil.test", "REQUEST_METHOD": "GET"}, "", ""),
        ({"http_proxy": "http://evil.test", "REQUEST_METHOD": ""}, "", ""),
        ({"HTTPS_PROXY": "http://p.test", "REQUEST_METHOD": "GET"}, "", "http://p.test"),
        ({"HTTP_PROXY": "http://ada:p%40ss@p.test:1"}, "http://p.test:1 Basic YWRhOnBAc3M=", ""),
        ({"HTTP_PROXY": "http://ada@p.test:1"}, "http://p.test:1 Basic YWRhOg==", ""),
        ({"HTTP_PROXY": "http://p.test", "NO_PROXY": "b.test, a.test"}, "", ""),
        ({"HTTP_PROXY": "http://p.test", "no_proxy": "b.test,,"}, "http://p.test", ""),
    ],
)
def test_the_environment_is_read_as_others_read_it(environment: dict[str, str], http: str, https: str) -> None:
    proxy = Proxy.from_environment(environment)

    assert (reached(proxy, "http://a.test"), reached(proxy, "https://a.test")) == (http, https)


@pytest.mark.parametrize("url", ["socks5://p.test", "http://ada:secret@", "nonsense:// /", "http://ada:secret@p/x"])
def test_an_environment_that_names_nothing_we_can_use_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Proxy.from_environment({"ALL_PROXY": url})

    assert "secret" not in str(caught.value)


def test_a_proxy_shows_where_it_is_and_nothing_else() -> None:
    proxy = Proxy.from_environment({"HTTP_PROXY": "http://ada:secret@p.test", "HTTPS_PROXY": "http://q.test"})

    assert repr(proxy) == "<Proxy http://p.test, http://q.test>"
    assert "secret" not in str(vars(proxy))


def test_a_proxy_s_password_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Proxy("http://proxy.test", auth=("ada", "secret")))


def test_an_origin_that_no_proxy_is_for_is_reached_directly() -> None:
    proxy = Proxy.from_environment({"HTTPS_PROXY": "http://p.test"})

    assert proxy is not None
    assert proxy.server_for(Origin("http", "a.test", 80)) is None
