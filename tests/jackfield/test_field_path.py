"""Places in a JSON document: names with dots between them, or each name by itself."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield import ConfigurationError, field_path


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("", ()),
        ("a", ("a",)),
        ("a.b.0", ("a", "b", "0")),
        ("@odata.nextLink", ("@odata", "nextLink")),
        (("@odata.nextLink",), ("@odata.nextLink",)),
        (("a.b", "c"), ("a.b", "c")),
        ((), ()),
    ],
)
def test_a_path_is_names_with_dots_between_them_or_a_tuple_where_names_have_dots(given: Any, names: Any) -> None:
    assert field_path(given) == names


@pytest.mark.parametrize("given", [".", "a.", ".a", "a..b", ("",), ("a", ""), (5,), ("a", None), 5, 0, None, False])
def test_a_path_with_what_is_no_name_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="write names with a dot between them"):
        field_path(given)
