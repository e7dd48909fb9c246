"""The real Buffy, for tests: installed beside them, started on loopback, and gone when they are."""

from .guarded import until
from .installed import FASTAPI, HELP, missing
from .server import Buffy, BuffyServer, past

__all__ = ["FASTAPI", "HELP", "Buffy", "BuffyServer", "missing", "past", "until"]
