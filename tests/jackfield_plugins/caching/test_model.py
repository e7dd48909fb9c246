"""The decisions against a slow, obvious model of the rules, and a cache at work against what it may never do."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_plugins.caching import model
from tests.jackfield_plugins.caching.answers import NOW, PRIVATE, SHARED, URL, date, fields, get
from tests.jackfield_plugins.caching.loop import Loop
from tests.jackfield_plugins.caching.model import Asked, Told

from jackfield import Request
from jackfield_plugins.caching._deciding import decide, may_serve_stale_on_error
from jackfield_plugins.caching._stored import Stored

SECONDS = st.none() | st.sampled_from([0, 1, 10, 60, 100])
MOMENT = st.none() | st.sampled_from([-1000, -100, -10, 0, 10, 100, 1000])
TOLD_FLAGS = ["no-cache", "must-revalidate", "proxy-revalidate", "immutable", "public", "private", "x"]
ASKED_FLAGS = ["no-cache", "no-store", "only-if-cached", "x"]
TOLD = st.builds(
    Told,
    max_age=SECONDS,
    s_maxage=SECONDS,
    expires=MOMENT,
    last_modified=MOMENT,
    date=MOMENT,
    age=SECONDS,
    delay=st.sampled_from([0, 5]),
    revalidate=SECONDS,
    if_error=SECONDS,
    flags=st.sets(st.sampled_from(TOLD_FLAGS), max_size=2).map(frozenset),
)
ASKED = st.builds(
    Asked,
    max_age=SECONDS,
    min_fresh=SECONDS,
    max_stale=SECONDS | st.just(-1),
    if_error=SECONDS,
    flags=st.sets(st.sampled_from(ASKED_FLAGS), max_size=1).map(frozenset),
)


def directives(given: dict[str, int | None], flags: frozenset[str]) -> str:
    arguments = [f"{name}={value}" for name, value in given.items() if value is not None]
    return ", ".join([*arguments, *flags]).replace("max-stale=-1", "max-stale")


def entry(told: Told) -> Stored:
    control = {
        "max-age": told.max_age,
        "s-maxage": told.s_maxage,
        "stale-while-revalidate": told.revalidate,
        "stale-if-error": told.if_error,
    }
    lines = [("Cache-Control", directives(control, told.flags)), ("ETag", '"e"')]
    moments = [("Expires", told.expires), ("Last-Modified", told.last_modified), ("Date", told.date)]
    lines += [(name, date(moment)) for name, moment in moments if moment is not None]
    lines += [("Age", str(told.age))] if told.age is not None else []
    return Stored(200, tuple(lines), b"body", NOW - told.delay, NOW)


def request(asked: Asked) -> Request:
    control = {
        "max-age": asked.max_age,
        "min-fresh": asked.min_fresh,
        "max-stale": asked.max_stale,
        "stale-if-error": asked.if_error,
    }
    return get({"Cache-Control": directives(control, asked.flags)})


@settings(deadline=None, max_examples=100)
@given(TOLD, ASKED, st.sampled_from([0, 1, 9, 10, 11, 59, 60, 61, 99, 100, 101, 160, 1000]), st.booleans())
def test_what_is_decided_is_what_the_model_says(told: Told, asked: Asked, after: int, shared: bool) -> None:
    rules = SHARED if shared else PRIVATE

    decision = decide(request(asked), [entry(told)], NOW + after, rules)

    assert decision.action.name == model.done(told, asked, after, shared)
    assert bool(decision.fwd) == (decision.action.name in ("VALIDATE", "BYPASS"))
    if decision.entry is not None:
        assert decision.lifetime == model.lifetime(told, shared)
        assert decision.age == model.current_age(told, after)


@settings(deadline=None, max_examples=100)
@given(TOLD, ASKED, st.sampled_from([0, 10, 60, 61, 70, 100, 110, 160, 1000]), st.booleans())
def test_what_is_given_on_an_error_is_what_the_model_says(told: Told, asked: Asked, after: int, shared: bool) -> None:
    rules = SHARED if shared else PRIVATE

    found = may_serve_stale_on_error(request(asked), entry(told), NOW + after, rules)

    assert found == model.given_on_error(told, asked, after, shared)


# --- a cache at work


STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "after": st.sampled_from([0, 1, 5, 20]),
            "method": st.sampled_from(["GET", "GET", "GET", "GET", "HEAD", "POST"]),
            "path": st.sampled_from(["a", "b"]),
            "variant": st.sampled_from(["1", "2"]),
            "control": st.sampled_from(["max-age=10", "max-age=10, private", "no-store", "no-cache", "max-age=0"]),
            "vary": st.booleans(),
            "tag": st.booleans(),
            "leads": st.sampled_from([None, "a", "b"]),
            "status": st.sampled_from([200, 200, 200, 404, 500]),
        }
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=100)
@given(STEPS, st.booleans())
def test_a_cache_at_work_gives_nothing_that_it_may_not(steps: list[dict[str, Any]], shared: bool) -> None:
    """Each answer has a number of its own as its body; what is given again is looked up by it."""
    loop, now = Loop(SHARED if shared else PRIVATE), NOW
    answers: dict[bytes, tuple[dict[str, Any], float]] = {}
    ended: dict[str, float] = {}  # when a path became invalid

    for number, step in enumerate(steps):
        now += step["after"]
        body = str(number).encode()
        asked = Request(step["method"], URL.at(step["path"]), headers={"Variant": step["variant"]})
        told = {"Cache-Control": step["control"], "Date": date(now - NOW)}
        told |= {"Vary": "Variant"} if step["vary"] else {}
        told |= {"ETag": f'"{step["path"]}"'} if step["tag"] else {}
        told |= {"Location": step["leads"]} if step["leads"] else {}

        how, response = loop.ask(asked, (step["status"], fields(told), body), now)

        if step["method"] == "POST":
            assert how == "not_cached"
            if step["status"] < 400:
                ended |= {step["path"]: now, **({step["leads"]: now} if step["leads"] else {})}
        elif how == "cached" and step["method"] == "GET":
            first, came = answers[response.content]
            assert first["path"] == step["path"]
            assert not first["vary"] or first["variant"] == step["variant"]
            assert "no-store" not in first["control"]
            assert not (shared and "private" in first["control"])
            assert came >= ended.get(step["path"], NOW)
            assert float(response.headers["age"]) < 10
        if how == "not_cached" and step["method"] == "GET":
            answers[body] = step, now
