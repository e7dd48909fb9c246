"""Whether the attributes of an HMAC recipe go together, and whether what it signs can be read in one way only."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from jackfield import ConfigurationError

from ._checks import check_kind
from ._fields import Field, InParameters, InQuery
from ._parts import Body, Header, Parameters, Part, Query, Target, Text
from ._stamps import Stamp, UniqueId

if TYPE_CHECKING:
    from ._recipe import HmacRecipe


def check_recipe(recipe: HmacRecipe) -> None:
    """Raises ConfigurationError, which says why, if it cannot be signed by."""
    _check_kinds(recipe)
    try:
        hmac.new(b"", b"", recipe.digest)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{recipe.digest!r} is no digest that signs") from error
    if recipe.encoding not in ("base64", "hex"):
        raise ConfigurationError(f"encoding is 'base64' or 'hex', not {recipe.encoding!r}")
    if recipe.form.count("{}") != 1 or recipe.form.split() != [recipe.form]:
        raise ConfigurationError(f"form has one {{}} for the signature and no blanks, unlike {recipe.form!r}")
    _check_coverage(recipe)


def check_boundaries(recipe: HmacRecipe) -> None:
    """Raises ConfigurationError if bytes could move from one part to the next, and the signature still hold."""
    ends_are_told = recipe.separator and Body() not in recipe.content[:-1]
    if not ends_are_told and sum(_is_free(part, recipe.stamps) for part in recipe.content) > 1:
        raise ConfigurationError(
            "by this recipe, bytes could move from one part to another, and the signature would still hold: to verify, "
            "give it a separator that no part but the last can hold, and put Body() last"
        )


def _is_free(part: Part, stamps: tuple[Stamp, ...]) -> bool:
    # Of one length in all messages: texts, and headers whose stamp is checked to be a time or a constant.
    if not isinstance(part, Header):
        return not isinstance(part, Text)
    fixed = [stamp.field for stamp in stamps if not isinstance(stamp, UniqueId)]
    return all(isinstance(field, InQuery) or field.name.lower() != part.name.lower() for field in fixed)


def _check_kinds(recipe: HmacRecipe) -> None:
    parts = "a tuple of parts, one at least, as in (Body(),)"
    check_kind("content", recipe.content or None, tuple, parts)
    for part in recipe.content:
        check_kind("a part of the content", part, Part, "Method(), Header(name), Body() or the like")
    check_kind("stamps", recipe.stamps, tuple, "a tuple, as in (UnixTime(InHeader(name)),)")
    for stamp in recipe.stamps:
        check_kind("a stamp", stamp, Stamp, "UnixTime(field), UniqueId(field) or the like")
    for field in (recipe.place, *(stamp.field for stamp in recipe.stamps)):
        check_kind(
            "place, or the field of a stamp,", field, Field, "InHeader(name), InQuery(name) or InParameters(name)"
        )
    check_kind("separator", recipe.separator, str, "text")
    check_kind("form", recipe.form, str, "text with a {} for the signature")
    if not callable(recipe.key):
        raise ConfigurationError("key is a function that reads the secret's text, like bytes.fromhex")


def _check_coverage(recipe: HmacRecipe) -> None:
    content = recipe.content
    if isinstance(recipe.place, InQuery):
        if any(isinstance(part, Target) for part in content):
            raise ConfigurationError("Target() would hold the signature itself: sign Path() and Query()")
        if isinstance(recipe.place, InParameters) != any(isinstance(part, Parameters) for part in content):
            raise ConfigurationError("a signature stands where what it signs does: InParameters goes with Parameters()")
    elif _is_signed(recipe.place, content):
        raise ConfigurationError(f"{recipe.place} holds the signature, and cannot be signed")
    for stamp in recipe.stamps:
        if not _is_signed(stamp.field, content):
            raise ConfigurationError(f"{stamp.field} would be stamped and not signed: add it to the content")


def _is_signed(field: Field, content: tuple[Part, ...]) -> bool:
    if isinstance(field, InParameters):
        return any(isinstance(part, Parameters) for part in content)
    if isinstance(field, InQuery):
        return any(isinstance(part, Query | Target) and not isinstance(part, Parameters) for part in content)
    return any(isinstance(part, Header) and part.name.lower() == field.name.lower() for part in content)
