"""Clients out of the environment: a variable that is empty is not set."""

from __future__ import annotations

from inspect import signature
from typing import Any

import pytest

from jackfield.testing import FakeTransport
from jackfield_services.buffy import AsyncBuffyClient, BuffyClient, BuffyPyClient, BuffyValueError

KINDS = pytest.mark.parametrize("kind", [BuffyClient, AsyncBuffyClient])
NAMES = ("URL", "HTTP_AUTH_NAME", "HTTP_AUTH_PASSWORD")


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BUFFY_GROUP_NAME", "BUFFY_LOCAL_DOWNLOAD_FALLBACK", *(f"BUFFY_SERVER_{name}" for name in NAMES)):
        monkeypatch.delenv(name, raising=False)


def test_the_fallbacks_have_the_places_of_buffys_client() -> None:
    taken = {name: one.default for name, one in signature(BuffyPyClient.from_env).parameters.items()}
    del taken["options"]

    assert list(taken.items()) == [
        ("fallback_val_group_name", None),
        ("fallback_val_url", "http://localhost:8008"),
        ("fallback_val_http_auth_name", None),
        ("fallback_val_http_auth_password", None),
        ("fallback_value_local_download_fallback", True),
    ]


@KINDS
def test_without_variables_there_is_a_server_on_this_machine(kind: Any) -> None:
    made = kind.from_env()

    assert made.api_url == "http://localhost:8008/v1"
    assert (made.group_name, made.http_auth, made.local_download_fallback) == (None, None, True)


@KINDS
def test_variables_go_before_fallbacks(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFFY_SERVER_URL", "https://h.test/buffy")
    monkeypatch.setenv("BUFFY_GROUP_NAME", "g")
    monkeypatch.setenv("BUFFY_SERVER_HTTP_AUTH_NAME", "u")
    monkeypatch.setenv("BUFFY_SERVER_HTTP_AUTH_PASSWORD", "p")
    monkeypatch.setenv("BUFFY_LOCAL_DOWNLOAD_FALLBACK", "false")
    made = kind.from_env("other", "http://other", "other", "other", True)

    assert made.api_url == "https://h.test:443/buffy/v1"
    assert (made.group_name, made.http_auth.username, made.http_auth.password.reveal()) == ("g", "u", "p")
    assert made.local_download_fallback is False


@KINDS
def test_an_empty_variable_is_not_set(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BUFFY_GROUP_NAME", "BUFFY_LOCAL_DOWNLOAD_FALLBACK", *(f"BUFFY_SERVER_{name}" for name in NAMES)):
        monkeypatch.setenv(name, "")
    made = kind.from_env("g", "http://other", "u", "p", False)

    assert made.api_url == "http://other:80/v1"
    assert (made.group_name, made.http_auth.username, made.http_auth.password.reveal()) == ("g", "u", "p")
    assert made.local_download_fallback is False


def test_an_empty_fallback_is_none() -> None:
    made = BuffyClient.from_env("", "", "", "word")

    assert made.api_url == "http://localhost:8008/v1"
    assert (made.group_name, made.http_auth) == (None, None)


def test_a_password_without_a_name_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFFY_SERVER_HTTP_AUTH_PASSWORD", "p")
    assert BuffyClient.from_env().http_auth is None


def test_a_name_may_have_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFFY_SERVER_HTTP_AUTH_NAME", "u")
    assert BuffyClient.from_env().http_auth == ("u", None)


@pytest.mark.parametrize("said", ["1", "true", "TRUE", "True", "yes", "Yes", "on", "ON", " true "])
def test_a_yes_has_many_forms(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFFY_LOCAL_DOWNLOAD_FALLBACK", said)
    assert BuffyClient.from_env(fallback_value_local_download_fallback=False).local_download_fallback is True


@pytest.mark.parametrize("said", ["0", "false", "FALSE", "False", "no", "No", "off", "OFF", "off\n"])
def test_a_no_has_many_forms(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFFY_LOCAL_DOWNLOAD_FALLBACK", said)
    assert BuffyClient.from_env().local_download_fallback is False


@pytest.mark.parametrize("said", ["2", "maybe", "nein", "y", "none", " "])
def test_what_is_neither_is_a_value_error(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFFY_LOCAL_DOWNLOAD_FALLBACK", said)
    with pytest.raises(BuffyValueError, match="BUFFY_LOCAL_DOWNLOAD_FALLBACK is one of 1, true"):
        BuffyClient.from_env()


@pytest.mark.parametrize("said", ["false", 0, None])
def test_a_fallback_that_is_no_boolean_is_a_value_error(said: Any) -> None:
    with pytest.raises(BuffyValueError, match="local_download_fallback is True or False"):
        BuffyClient.from_env(fallback_value_local_download_fallback=said)


def test_a_wrong_url_is_a_value_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFFY_SERVER_URL", "localhost:8008")
    with pytest.raises(BuffyValueError, match="url is 'http://host:8008/path'"):
        BuffyClient.from_env()


@KINDS
def test_options_are_passed_on(kind: Any) -> None:
    transport = FakeTransport()
    assert kind.from_env(transport=transport).api_url == "http://localhost:8008/v1"
