"""What a change brings with it in other records."""

from __future__ import annotations

from tests.jackfield_services.flame_hub.hub_wire import Session, grant

from jackfield_services.flame_hub.emulator import FlameHubEmulator


def test_a_node_has_a_robot_that_goes_with_it(old: FlameHubEmulator) -> None:
    session = Session(old)
    node = session.make("nodes", name="node")
    robot = f"/robots/{node['robot_id']}"
    assert session.auth("GET", robot).json["name"] == node["id"]
    session.core("DELETE", f"/nodes/{node['id']}")
    assert session.auth("GET", robot).status == 404


def test_a_node_has_a_client_whose_credentials_may_be_read_and_changed(new: FlameHubEmulator) -> None:
    session = Session(new)
    node = session.make("nodes", name="node")
    path = f"/nodes/{node['id']}/client/credentials"
    got = session.core("GET", path)
    assert (got.status, list(got.json)) == (200, ["id", "secret", "name", "displayName"])
    assert got.json["id"] == node["client_id"]
    assert grant(new, grant_type="client_credentials", client_id=got.json["id"], client_secret=got.json["secret"])
    changed = session.core("POST", path, {"secret": "s", "displayName": "Node"})
    assert (changed.status, changed.json) == (200, {**got.json, "secret": "s", "displayName": "Node"})
    assert session.core("POST", path, {"name": None}).status == 400
    session.core("DELETE", f"/nodes/{node['id']}")
    assert session.core("GET", path).status == 404


def test_an_analysis_has_a_client_as_well(new: FlameHubEmulator) -> None:
    session = Session(new)
    analysis = session.analysis()
    got = session.core("GET", f"/analyses/{analysis['id']}/client/credentials").json
    assert (got["id"], len(got["secret"])) == (analysis["client_id"], 64)
    session.core("DELETE", f"/analyses/{analysis['id']}")
    assert session.auth("GET", f"/clients/{got['id']}").status == 404


def test_a_node_with_a_registry_has_a_project_there(new: FlameHubEmulator) -> None:
    session = Session(new)
    registry = session.make("registries", name="registry", host="registry.example.com")
    with_one = session.make("nodes", name="node", registry_id=registry["id"], external_name="ext", type="aggregator")
    without = session.make("nodes", name="node")
    project = session.core("GET", f"/registry-projects/{with_one['registry_project_id']}?fields=%2BaccountSecret").data
    got = session.core("GET", f"/nodes/{with_one['id']}/registry/credentials")
    assert project["type"] == "aggregator"
    assert got.json == {
        "host": "registry.example.com",
        "externalName": "ext",
        "accountName": project["accountName"],
        "accountSecret": project["accountSecret"],
    }
    assert session.core("GET", f"/nodes/{without['id']}/registry/credentials").status == 404
    session.core("POST", f"/nodes/{without['id']}", {"registryId": registry["id"]})
    assert session.core("GET", f"/nodes/{without['id']}/registry/credentials").status == 200
    session.core("POST", f"/nodes/{without['id']}", {"hidden": True})
    assert session.core("GET", "/registry-projects").json["meta"]["total"] == 2
    session.core("DELETE", f"/nodes/{with_one['id']}")
    assert session.core("GET", f"/registry-projects/{project['id']}").status == 404


def test_an_analysis_has_its_projects_image_and_realm(session: Session) -> None:
    analysis = session.analysis()
    project = session.named(session.core("GET", f"/projects/{analysis['project_id']}").data)
    assert analysis["master_image_id"] == project["master_image_id"]
    assert analysis["realm_id"] == project["realm_id"] == session.master_realm()


def test_an_analysis_may_have_an_image_of_its_own(session: Session) -> None:
    project = session.analysis()["project_id"]
    other = session.core("GET", "/master-images").data[1]["id"]
    analysis = session.make("analyses", name="analysis", project_id=project, master_image_id=other)
    assert analysis["master_image_id"] == other


def test_what_a_project_has_is_counted(session: Session) -> None:
    analysis = session.analysis()
    node = session.make("nodes", name="node")
    session.make("project-nodes", project_id=analysis["project_id"], node_id=node["id"])
    project = session.core("GET", f"/projects/{analysis['project_id']}").data
    assert (project["analyses"], project["nodes"]) == (1, 1)


def test_an_old_analysis_has_its_buckets(old: FlameHubEmulator) -> None:
    session = Session(old)
    analysis = session.analysis()
    buckets = session.core("GET", f"/analysis-buckets?filter[analysis_id]={analysis['id']}").json["data"]
    assert [bucket["type"] for bucket in buckets] == ["CODE", "RESULT", "TEMP"]
    assert session.storage("GET", f"/buckets/{buckets[0]['external_id']}").status == 200


def test_nodes_are_approved_from_the_start_where_that_is_so(session: Session) -> None:
    node, analysis = session.make("nodes", name="node"), session.analysis()
    for link in (
        session.make("project-nodes", project_id=analysis["project_id"], node_id=node["id"]),
        session.make("analysis-nodes", analysis_id=analysis["id"], node_id=node["id"]),
    ):
        assert link["approval_status"] == ("approved" if session.old else None)


def test_who_approves_may_be_said() -> None:
    with FlameHubEmulator("1.1.0", approved=True) as hub:
        session = Session(hub)
        node, analysis = session.make("nodes", name="node"), session.analysis()
        link = session.make("project-nodes", project_id=analysis["project_id"], node_id=node["id"])
    assert link["approval_status"] == "approved"


def test_an_analysis_tells_what_it_is_ready_for(new: FlameHubEmulator) -> None:
    session = Session(new)
    analysis = session.analysis()
    path = f"/analyses/{analysis['id']}"
    assert (analysis["configuration_image_valid"], analysis["configuration_nodes_valid"]) == (True, False)

    links: list[str] = []
    for kind in ("default", "aggregator"):
        node = session.make("nodes", name="node", type=kind)
        links.append(session.make("analysis-nodes", analysis_id=analysis["id"], node_id=node["id"])["id"])
    ready = session.named(session.core("GET", path).data)
    assert (ready["nodes"], ready["nodes_approved"], ready["configuration_nodes_valid"]) == (2, 0, True)
    assert not ready["distribution_nodes_valid"]

    for link in links:
        session.core("POST", f"/analysis-nodes/{link}", {"approvalStatus": "approved"})
    ready = session.named(session.core("GET", path).data)
    assert (ready["nodes_approved"], ready["distribution_nodes_valid"]) == (2, True)

    session.core("DELETE", f"/analysis-nodes/{links[1]}")
    ready = session.named(session.core("GET", path).data)
    assert (ready["nodes"], ready["configuration_node_aggregator_valid"]) == (1, False)


def test_what_cannot_be_without_a_record_goes_with_it(session: Session) -> None:
    analysis, node = session.analysis(), session.make("nodes", name="node")
    link = session.make("analysis-nodes", analysis_id=analysis["id"], node_id=node["id"])
    session.core("DELETE", f"/projects/{analysis['project_id']}")
    assert session.core("GET", f"/analyses/{analysis['id']}").status == 404
    assert session.core("GET", f"/analysis-nodes/{link['id']}").status == 404
    assert session.core("GET", f"/nodes/{node['id']}").status == 200


def test_what_can_be_without_a_record_forgets_it(session: Session) -> None:
    registry = session.make("registries", name="registry", host="registry.example.com")
    node = session.make("nodes", name="node", registry_id=registry["id"])
    session.core("DELETE", f"/registries/{registry['id']}")
    got = session.named(session.core("GET", f"/nodes/{node['id']}").data)
    assert (got["registry_id"], got["registry_project_id"]) == (None, None)


def test_a_realm_takes_its_nodes_with_it(session: Session) -> None:
    realm = session.make("realms", name="realm")
    node = session.make("nodes", name="node", realm_id=realm["id"])
    session.auth("DELETE", f"/realms/{realm['id']}")
    assert session.core("GET", f"/nodes/{node['id']}").status == 404


def test_links_know_the_realms_of_both(session: Session) -> None:
    realm = session.make("realms", name="realm")
    node = session.make("nodes", name="node", realm_id=realm["id"])
    link = session.make("project-nodes", project_id=session.analysis()["project_id"], node_id=node["id"])
    assert (link["node_realm_id"], link["project_realm_id"]) == (realm["id"], session.master_realm())


def test_two_that_belong_together_do_so_once(session: Session) -> None:
    analysis, node = session.analysis(), session.make("nodes", name="node")
    ids = session.wire(analysis_id=analysis["id"], node_id=node["id"])
    statuses = [session.core("POST", "/analysis-nodes", ids).status for _ in range(2)]
    assert statuses == [201, 409]
