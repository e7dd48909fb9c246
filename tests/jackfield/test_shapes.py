"""Types are taught to msgspec by one thread at a time: version 0.22 ends the process where two do so at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

_RACE = """
import sys, threading, types
import msgspec
from jackfield import Response, decoder_of, known

TEACH = {
    "decode": lambda kind: Response(200, body=b'{"a": {"x1": 1}}').decode(kind),
    "decoder_of": lambda kind: decoder_of(kind).decode(b'{"a": {"x1": 1}}'),
    "known": lambda kind: msgspec.convert({"a": {"x1": 1}}, known(kind)),
}
fields = "".join(f"    x{n}: int | None | list[str] | str = None\\n" for n in range(12))
more = "".join(f"    y{n}: dict[str, A] | None = None\\n" for n in range(12))
first = "import msgspec\\nclass A(msgspec.Struct):\\n" + fields
source = first + "class B(msgspec.Struct):\\n    a: A | None = None\\n" + more

sys.setswitchinterval(1e-6)
for turn in range(100):
    module = types.ModuleType(f"shapes{turn}")
    sys.modules[module.__name__] = module
    exec("from __future__ import annotations\\n" + source, module.__dict__)
    together = threading.Barrier(8)

    def learn():
        together.wait()
        assert TEACH[sys.argv[1]](module.B).a.x1 == 1

    threads = [threading.Thread(target=learn) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("alive")
"""


@pytest.mark.parametrize("way", ["decode", "decoder_of", "known"])
def test_many_threads_may_meet_a_type_at_once(way: str) -> None:
    ran = subprocess.run([sys.executable, "-c", _RACE, way], capture_output=True, text=True, timeout=60, check=False)

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "alive\n", "")
