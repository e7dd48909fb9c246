"""Key pairs: all of it is answered at once."""

import hashlib

from ._command import Call, Command, Parameter
from ._lists import listing
from ._users import made_id
from ._wire import INVALID_VALUE, ApiError, JsonObject


def create_ssh_key_pair(call: Call) -> JsonObject:
    name, pairs = call.arguments.text("name"), call.cloud.key_pairs
    if name in pairs:
        raise ApiError(431, f"A key pair with name '{name}' already exists.", INVALID_VALUE)
    print_ = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    fingerprint = ":".join(print_[start : start + 2] for start in range(0, len(print_), 2))
    pairs[name] = {"id": made_id(f"key {name}"), "name": name, "fingerprint": fingerprint, **call.user.owns()}
    label = "RSA PRIVATE KEY-----"
    key = f"-----BEGIN {label}\n{print_}\n-----END {label}\n"  # no key at all: nothing could log in with it
    return {"keypair": {"name": name, "fingerprint": fingerprint, "privatekey": key}}


def delete_ssh_key_pair(call: Call) -> JsonObject:
    name = call.arguments.text("name")
    if call.cloud.key_pairs.pop(name, None) is None:
        raise ApiError(431, f"A key pair with name '{name}' does not exist for account.", INVALID_VALUE)
    return call.success()


_NAME = Parameter("name", "string", "the name of the key pair", required=True)
_PAIR: JsonObject = {"name": "laptop", "fingerprint": "00:11", "account": "admin", "domain": "ROOT"}
KEYS = (
    Command(
        "createSSHKeyPair",
        "Create a key pair; the private key in it is a dummy",
        create_ssh_key_pair,
        (_NAME,),
        "keypair",
        {**_PAIR, "privatekey": ""},
    ),
    Command("deleteSSHKeyPair", "Delete a key pair", delete_ssh_key_pair, (_NAME,), "success", {"success": True}),
    listing("listSSHKeyPairs", "sshkeypair", "key pair", lambda call: call.cloud.key_pairs.values(), _PAIR),
)
