"""Networks, and a job that has "list" in its name."""

from ._command import Call, Command, Parameter
from ._places import NETWORKS
from ._users import made_id
from ._wire import JsonObject


def create_network(call: Call) -> JsonObject:
    """At once; it is not kept."""
    zone = call.cloud.zone(call.arguments.text("zoneid"), call.command)
    name = call.arguments.text("name")
    about: JsonObject = {"id": made_id(f"network {name}"), "name": name, "state": "Allocated"}
    return {"network": {**NETWORKS[0], **about, "zoneid": zone["id"], "zonename": zone["name"], **call.user.owns()}}


def create_network_acl_list(call: Call) -> JsonObject:
    name = call.arguments.text("name")
    made: JsonObject = {"id": made_id(f"acl {name}"), "name": name, "description": call.arguments.text("description")}

    def succeed() -> JsonObject:
        return {"networkacllist": made}

    return {"id": made["id"], **call.start_job(str(made["id"]), succeed, "NetworkACL")}


_NETWORK = (
    Parameter("name", "string", "the name of the network", required=True),
    Parameter("networkofferingid", "uuid", "the ID of the network offering", required=True),
    Parameter("zoneid", "uuid", "the ID of the zone", required=True, related="listZones"),
    Parameter("displaytext", "string", "what it is for"),
)
_ACL = (
    Parameter("name", "string", "the name of the list", required=True),
    Parameter("vpcid", "uuid", "the ID of the VPC"),
    Parameter("description", "string", "what it is for"),
)

_MADE: JsonObject = {"id": "", "name": "", "description": ""}

NETWORK_CHANGES = (
    Command("createNetwork", "Create a network", create_network, _NETWORK, "network", NETWORKS[0]),
    Command(
        "createNetworkACLList",
        "Create a list of rules for networks",
        create_network_acl_list,
        _ACL,
        "networkacllist",
        _MADE,
        True,
    ),
)
