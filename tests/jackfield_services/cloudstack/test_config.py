"""Settings in environment and ini files: which one wins, what they become, and what an error says."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jackfield import ConfigurationError, Secret, Without
from jackfield_plugins.retry import Retry
from jackfield_services.cloudstack import AsyncCloudStack, CloudStack, cs, read_config
from jackfield_services.cloudstack._config import find

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home and a current folder with nothing in them, and nothing in the environment."""
    for name in [name for name in os.environ if name.startswith("CLOUDSTACK_")]:
        monkeypatch.delenv(name)
    for folder in ("home", "here"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write("home" | "here" | another name, "k = v", …, section=…)` makes one of the files."""

    def write(place: str, *lines: str, section: str = "cloudstack", mode: int = 0o600) -> Path:
        usual = {"home": tmp_path / "home" / ".cloudstack.ini", "here": tmp_path / "here" / "cloudstack.ini"}
        path = usual.get(place, tmp_path / place)
        with path.open("a") as file:
            file.write("\n".join([f"[{section}]", *lines, ""]))
        path.chmod(mode)
        return path

    return write


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`env(ENDPOINT=…)` sets `CLOUDSTACK_ENDPOINT`."""

    def env(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"CLOUDSTACK_{name}", value)

    return env


Env = Callable[..., None]
ONE, OTHER = "https://one.test/client/api", "https://other.test/client/api"


# --- where settings are, and which of them wins


def test_the_environment_alone_is_enough(env: Env, write: Write) -> None:
    env(ENDPOINT=ONE, KEY="k", SECRET="s")
    write("home", f"endpoint = {OTHER}", "key = other", "timeout = 77")

    assert read_config() == {"end_point": ONE, "api_key": "k", "api_secret": Secret("s"), "expires": 600.0}


def test_files_are_read_where_the_environment_names_no_end_point(env: Env, write: Write) -> None:
    env(KEY="from the environment", SECRET="s")
    write("home", f"endpoint = {ONE}", "key = k")

    config = read_config()

    assert (config["end_point"], config["api_key"], config["api_secret"].reveal()) == (ONE, "k", "s")


def test_a_later_file_goes_over_an_earlier_one(env: Env, write: Write, tmp_path: Path) -> None:
    write("home", f"endpoint = {ONE}", "key = home", "job_timeout = 1", "poll_interval = 1", "secret = s")
    write("here", "key = here", "job_timeout = 2")
    env(CONFIG=str(write("named.ini", "job_timeout = 3")))

    config = read_config()

    assert (config["end_point"], config["api_key"]) == (ONE, "here")
    assert (config["job_timeout"], config["async_poll_latency"]) == (3.0, 1.0)


def test_a_named_file_may_lie_in_the_home(env: Env, tmp_path: Path, write: Write) -> None:
    write("home/mine.ini", f"endpoint = {ONE}")
    env(CONFIG="~/mine.ini")

    assert read_config()["end_point"] == ONE


@pytest.mark.parametrize("overrides", ["endpoint,key", "ENDPOINT key", " endpoint;key "])
def test_overrides_name_what_the_environment_has_the_last_word_on(env: Env, write: Write, overrides: str) -> None:
    write("home", f"endpoint = {OTHER}", "key = file", "secret = file", "poll_interval = 5")
    env(ENDPOINT=ONE, KEY="environment", SECRET="environment", OVERRIDES=overrides)

    config = read_config()

    assert (config["end_point"], config["api_key"]) == (ONE, "environment")
    assert (config["api_secret"].reveal(), config["async_poll_latency"]) == ("file", 5.0)


def test_overrides_without_a_variable_are_defaults_but_for_what_has_none(env: Env, write: Write) -> None:
    write("home", f"endpoint = {ONE}", "key = k", "secret = s", "poll_interval = 5", "dangerous_no_tls_verify = yes")
    env(OVERRIDES="endpoint,key,secret,poll_interval,dangerous_no_tls_verify")

    config = read_config()

    assert config == {"end_point": ONE, "api_key": "k", "api_secret": Secret("s"), "expires": 600.0}


def test_regions_are_sections(env: Env, write: Write) -> None:
    write("home", f"endpoint = {ONE}")
    write("home", f"endpoint = {OTHER}", section="second")

    assert read_config()["end_point"] == ONE
    assert read_config("second")["end_point"] == OTHER
    env(REGION="second")
    assert read_config()["end_point"] == OTHER
    assert read_config("cloudstack")["end_point"] == ONE


def test_defaults_of_a_file_are_in_every_section(write: Write) -> None:
    write("home", "key = k", "secret = s", section="DEFAULT")
    write("here", f"endpoint = {ONE}")

    assert read_config()["api_key"] == "k"


def test_what_is_empty_or_unknown_is_not_set(env: Env, write: Write) -> None:
    env(TIMEOUT="", ENDPOINT=" ")
    write("home", f"endpoint = {ONE}", "key =", "theme = dark", "colour = red")

    assert read_config() == {"end_point": ONE}


def test_a_mark_at_the_beginning_of_a_file_is_no_part_of_it(write: Write) -> None:
    path = write("home")
    path.write_text(f"[cloudstack]\nendpoint = {ONE}\n", encoding="utf-8-sig")

    assert read_config() == {"end_point": ONE}


@pytest.mark.parametrize(
    ("line", "says"),
    [("timout = 4", "'timout' in .cloudstack. of .*: did you mean 'timeout'"), ("retri = 1", "did you mean 'retry'")],
)
def test_a_name_that_looks_much_like_a_setting_is_warned_of(write: Write, line: str, says: str) -> None:
    write("home", f"endpoint = {ONE}", line)

    with pytest.warns(RuntimeWarning, match=says):
        assert read_config() == {"end_point": ONE}


def test_the_names_of_the_constructor_are_not_those_of_files(write: Write) -> None:
    write("home", f"end_point = {ONE}")

    with pytest.raises(ConfigurationError, match=r"'end_point' in .* is no setting: in files its name is 'endpoint'"):
        read_config()


def test_the_names_of_the_constructor_are_let_be_beside_those_of_files(write: Write) -> None:
    write("home", f"endpoint = {ONE}", "end_point = x")

    assert read_config() == {"end_point": ONE}


def test_a_variable_that_looks_much_like_a_setting_is_warned_of(env: Env) -> None:
    env(ENDPOINT=ONE, TIMOUT="4", API_KEY="of another program")

    with pytest.warns(RuntimeWarning, match="the variable CLOUDSTACK_TIMOUT is no setting: did you") as warned:
        assert read_config() == {"end_point": ONE}

    assert len(warned) == 1


def test_an_end_point_without_keys_beside_a_file_is_warned_of(env: Env, write: Write) -> None:
    path = write("home", f"endpoint = {OTHER}", "key = k", "secret = s")
    env(ENDPOINT=ONE)

    with pytest.warns(RuntimeWarning, match=f"CLOUDSTACK_SECRET are not, .*{path} is not read: there are no keys"):
        assert read_config() == {"end_point": ONE}


def test_percent_signs_are_doubled_as_in_cs(write: Write) -> None:
    write("home", f"endpoint = {ONE}", "key = k", "secret = a%%b")

    assert read_config()["api_secret"].reveal() == "a%b"


# --- what becomes of them


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("method = POST", {"method": "post"}),
        ("method = get", {"method": "get"}),
        ("poll_interval = 0.5", {"async_poll_latency": 0.5}),
        ("job_timeout = 300", {"job_timeout": 300.0}),
        ("job_timeout = 0", {}),
        ("expiration = 60", {"expires": 60.0}),
        ("expiration = 3600", {"expires": 900.0}),
        ("header_x-team = red", {"headers": {"x-team": "red"}}),
        ('header_x-team = "red"', {"headers": {"x-team": '"red"'}}),
        ("verify = /etc/ca.pem", {"verify": "/etc/ca.pem"}),
        ("verify = true", {}),
        ("dangerous_no_tls_verify = Yes", {"verify": False}),
        ("dangerous_no_tls_verify = off", {}),
        ("verify = /etc/ca.pem\ndangerous_no_tls_verify = 1", {"verify": "/etc/ca.pem"}),
        ("cert = /c.pem", {"cert": "/c.pem"}),
        ("cert = /c.pem\ncert_key = /k.pem", {"cert": ("/c.pem", "/k.pem")}),
        ("timeout = 7", {"connect_timeout": 7.0, "read_timeout": 7.0, "timeout": 74.0}),
        ("timeout = 7\nretry = 2", {"connect_timeout": 7.0, "read_timeout": 7.0, "timeout": 162.0}),
        ("trace = no", {}),
    ],
)
def test_a_setting_becomes_an_argument(write: Write, line: str, expected: dict[str, Any]) -> None:
    write("home", f"endpoint = {ONE}", "key = k", "secret = s", line)
    usual = {"end_point": ONE, "api_key": "k", "api_secret": Secret("s"), "expires": 600.0}

    config = read_config()
    config.pop("plugins", None)

    assert config == {**usual, **expected}
    made_without_files: dict[str, Any] = {**config, "verify": True, "cert": None}
    CloudStack(**made_without_files).close()


def test_a_negative_expiration_is_none(write: Write) -> None:
    write("home", f"endpoint = {ONE}", "key = k", "secret = s", "expiration = -1")

    assert "expires" not in read_config()


def test_retry_and_trace_are_plugins(write: Write) -> None:
    write("home", f"endpoint = {ONE}", "retry = 4", "retry_backoff = 2", "trace = 1")
    write("home", f"endpoint = {ONE}", "retry = 0", section="once")

    retry, trace = read_config()["plugins"]

    assert isinstance(retry, Retry)
    assert (retry._max_attempts, retry._backoff.base, retry._backoff.cap) == (5, 2.0, 30.0)
    assert trace.name == "trace"
    assert read_config("once")["plugins"] == [Without("retry")]


@pytest.mark.parametrize(("line", "base"), [("", 0.5), ("retry_backoff = 0", 0.001), ("retry_backoff = 99", 30.0)])
def test_waits_between_retries_are_within_bounds(write: Write, line: str, base: float) -> None:
    write("home", f"endpoint = {ONE}", "retry = 1", line)

    (retry,) = read_config()["plugins"]

    assert (retry._max_attempts, retry._backoff.base) == (2, base)


def test_a_client_is_made_of_them(env: Env) -> None:
    env(ENDPOINT=ONE, KEY="k", SECRET="canary", POLL_INTERVAL="7")

    with CloudStack(**read_config()) as client, CloudStack.from_config(max_page_size=20) as other:
        assert (client.end_point, client.api_key, client.async_poll_latency) == (ONE, "k", 7.0)
        assert (other.end_point, other.max_page_size) == (ONE, 20)
    assert AsyncCloudStack.from_config(job_timeout=5).job_timeout == 5
    shown = repr(read_config()) + repr(cs.read_config()) + repr(vars(find().settings))
    assert "canary" not in shown
    assert "the variable CLOUDSTACK_SECRET" in shown


def test_a_region_of_the_files_makes_a_client_too(write: Write) -> None:
    write("home", f"endpoint = {OTHER}", section="second")

    with CloudStack.from_config("second") as client:
        assert client.end_point == OTHER


def test_cs_has_them_by_its_own_names(write: Write) -> None:
    lines = ["key = k", "secret = s", "timeout = 20", "retry = 1", "expiration = 60", "header_a = b", "cert = c"]
    write("home", f"endpoint = {ONE}", *lines, "cert_key = d", "verify = e", "trace = yes", section="r")

    assert cs.read_config("r") == {
        "endpoint": ONE,
        "key": "k",
        "secret": Secret("s"),
        "timeout": 20.0,
        "retry": 1,
        "expiration": "60",
        "headers": {"a": "b"},
        "cert": "c",
        "cert_key": "d",
        "verify": "e",
        "trace": True,
        "name": "r",
    }


def test_in_cs_the_environment_has_no_name(env: Env) -> None:
    env(ENDPOINT=ONE, DANGEROUS_NO_TLS_VERIFY="true")

    assert cs.read_config() == {"endpoint": ONE, "dangerous_no_tls_verify": True}


# --- what makes no sense


def test_without_any_setting_an_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_config()

    told = str(caught.value)
    assert "there is no file of settings" in told
    for name in ("~", "CLOUDSTACK_ENDPOINT", "CLOUDSTACK_KEY", "CLOUDSTACK_SECRET", "[cloudstack]"):
        assert (str(tmp_path / "home" / ".cloudstack.ini") if name == "~" else name) in told
    assert str(tmp_path / "here" / "cloudstack.ini") in told


@pytest.mark.parametrize("region", ["nowhere", None])
def test_an_unknown_region_is_an_error_that_names_the_files(write: Write, env: Env, region: str | None) -> None:
    path = write("home", f"endpoint = {ONE}")
    env(REGION="nowhere")

    with pytest.raises(ConfigurationError, match=r"no \[nowhere\] in .*, but \[cloudstack\]: write") as caught:
        read_config(region)

    assert str(path) in str(caught.value)


def test_a_region_that_is_asked_for_must_be_there(write: Write, env: Env) -> None:
    write("home", f"endpoint = {ONE}")
    env(ENDPOINT=OTHER, OVERRIDES="endpoint")

    assert read_config()["end_point"] == OTHER
    with pytest.raises(ConfigurationError, match=r"\[nowhere\]"):
        read_config("nowhere")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("timeout = soon", "'timeout' in .* must be a number of seconds, more than 0, not 'soon'"),
        ("timeout = 0", "'timeout' in"),
        ("timeout = nan", "'timeout' in"),
        ("poll_interval = -1", "'poll_interval' in .* 0 or more"),
        ("job_timeout = inf", "'job_timeout' in"),
        ("retry = 1.5", "'retry' in .* must be a whole number"),
        ("retry = -1", "'retry' in .* must be a whole number"),
        ("retry_backoff = much", "'retry_backoff' in"),
        ("expiration = never", "'expiration' in .* must be a number of seconds"),
        ("expiration = nan", "'expiration' in .* must be a number of seconds"),
        ("method = put", "'method' in .* must be auto or get or post, not 'put'"),
        ("trace = perhaps", "'trace' in .* must be yes or no, not 'perhaps'"),
        ("dangerous_no_tls_verify = perhaps", "'dangerous_no_tls_verify' in"),
        ("verify = false", "'verify' in .* is the path .* set dangerous_no_tls_verify to true"),
        ("cert_key = k.pem", "'cert_key' in .* is set, and `cert`"),
        ("api_key = x", "'api_key' in .* its name is 'key'"),
        ('key = "k"', "'key' in .* is in quotes"),
        ("secret = 'a%%b'", "'secret' in .* is in quotes"),
        ("secret a%b:c", "'secret' in .* has no = behind it"),
        ("secret = a%b", "'secret' in .* has a % in it .* write it as %%"),
    ],
)
def test_an_error_says_in_which_file_what_is_wrong(write: Write, line: str, says: str) -> None:
    write("home", f"endpoint = {OTHER}")
    path = write("here", f"endpoint = {ONE}", line)

    for read in (read_config, cs.read_config):
        with pytest.raises(ConfigurationError, match=says) as caught:
            read()
        assert f"[cloudstack] of {path}" in str(caught.value)
        assert "a%b" not in str(caught.value)


def test_an_error_says_which_variable_is_wrong(env: Env) -> None:
    env(ENDPOINT=ONE, TIMEOUT="soon")

    with pytest.raises(ConfigurationError, match=r"the variable CLOUDSTACK_TIMEOUT must be .* not 'soon'"):
        read_config()


def test_a_named_file_must_be_there(env: Env, write: Write) -> None:
    write("home", f"endpoint = {ONE}")
    env(CONFIG="/nowhere/cloudstack.ini")

    with pytest.raises(ConfigurationError, match=r"CLOUDSTACK_CONFIG names the file '/nowhere/cloudstack.ini'"):
        read_config()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("endpoint = canary", "no .section. stands before it"),
        ("[cloudstack]\ncanary", "it is no `name = value`"),
        ("[cloudstack]\na = 1\na = canary", "its name stands there already"),
        ("[cloudstack]\na = 1\n[cloudstack]\nb = canary", "its section stands there already"),
        ("[cloud\nsecret = canary", "no .section. stands before it"),
    ],
)
def test_what_is_no_ini_file_is_named_and_not_quoted(write: Write, text: str, says: str) -> None:
    path = write("home")
    path.write_text(text)

    with pytest.raises(ConfigurationError, match=f"{path} is no ini file: line [0-9]: {says}") as caught:
        read_config()

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_is_no_text_is_named(write: Write) -> None:
    path = write("home")
    path.write_bytes(b"[cloudstack]\nsecret = \xff\xfe")

    with pytest.raises(ConfigurationError, match=f"{path} cannot be read: UnicodeDecodeError"):
        read_config()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606, 0o622])
def test_a_secret_that_others_can_reach_is_warned_of(write: Write, mode: int) -> None:
    path = write("home", f"endpoint = {ONE}", "key = k", "secret = canary", mode=mode)

    with pytest.warns(RuntimeWarning, match=f"{path} holds a secret.*chmod 600") as warned:
        read_config()

    assert len(warned) == 1
    assert "canary" not in str(warned[0].message)


def test_a_file_without_a_secret_may_be_open_to_all(write: Write) -> None:
    write("home", f"endpoint = {ONE}")
    write("home", "secret = s", section="another", mode=0o644)

    assert read_config() == {"end_point": ONE}


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_not_read(write: Write) -> None:
    os.chown(write("here", f"endpoint = {OTHER}"), 12345, -1)

    with pytest.raises(ConfigurationError, match="belongs to another user, and is not read"):
        read_config()
