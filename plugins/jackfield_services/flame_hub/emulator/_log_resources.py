"""The logs of analyses, which the new generation has: lists without ids, to be written, found and deleted."""

from ._fields import Field, Resource, choice, made, ref, text

_LEVELS = ("emerg", "alert", "crit", "error", "warn", "notice", "info", "debug")
_LINE = {
    "time": made(),
    "message": text(required=True),
    "service": made(),
    "channel": made(),
    "level": choice(*_LEVELS, required=True),
    "labels": made(),
}


def _hidden(to: str) -> Field:
    return Field(checks=ref(to).checks, required=True, to=to, hidden=True)


def log_resources() -> list[Resource]:
    """Those of an analysis, which the Hub writes, and those of its nodes."""
    node = {
        **_LINE,
        "analysis_id": _hidden("analyses"),
        "node_id": _hidden("nodes"),
        "status": text(hidden=True),
        "code": text(hidden=True),
    }
    return [
        Resource(
            service="core",
            name="analysis_logs",
            fields={**_LINE, "analysis_id": _hidden("analyses")},
            verbs=("list",),
            bare=True,
        ),
        Resource(
            service="core",
            name="analysis_node_logs",
            fields=node,
            verbs=(
                "list",
                "create",
            ),
            bare=True,
        ),
    ]
