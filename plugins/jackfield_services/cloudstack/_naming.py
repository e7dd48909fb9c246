"""What a command's name tells of it: whether it only reads, and whether it pages."""

from __future__ import annotations

_READS = ("list", "get", "query", "find", "search", "isaccountallowed")
_READS_OF_QUOTA = ("quotabalance", "quotastatement", "quotasummary", "quotatarifflist")
# Their names say that they read, but each begins something: an upload, a job, another session.
_CHANGES = ("getupload", "getdiagnosticsdata", "listandswitch")
_CHANGE = ("add", "create", "delete", "import", "remove", "replace", "update")
_PAGED = frozenset({"findhostsformigration", "findstoragepoolsformigration", "quotasummary", "searchldap"})


def reads(command: str) -> bool:
    """Whether sending it twice does no harm."""
    name = command.lower()
    return name.startswith((*_READS, *_READS_OF_QUOTA)) and not name.startswith(_CHANGES)


def pages(command: str) -> bool:
    """Whether its answer may be one page of several; asking for a page does no harm to one that has none."""
    name = command.lower()
    if name in _PAGED:
        return True
    return "list" in name and not name.startswith((*_CHANGE, *_CHANGES))  # createNetworkACLList starts a job
