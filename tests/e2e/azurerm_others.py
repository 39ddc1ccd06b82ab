"""The provider's other resources: the group, and the children of a cache.

Each function sends what the provider sends for one operation, and gives what it keeps.
"""

from __future__ import annotations

from tests.e2e.azurerm import SUBSCRIPTION, Azurerm, Json

LINKING = ("Linking", "Updating", "Creating", "Syncing")
LOOKS_AT_A_LINK = 10  # that is how many times in a row it has to be gone


def group_path(name: str) -> str:
    """Give the path of a resource group."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"


def create_group(provider: Azurerm, name: str, tags: Json) -> Json:
    """Create an ``azurerm_resource_group``; it looks at it three times."""
    path = group_path(name)
    provider.create(path, {"location": "westeurope", "tags": tags})
    for _ in range(3):
        provider.read(path)
    return provider.read(path)


def tag_group(provider: Azurerm, name: str, tags: Json) -> Json:
    """Update a group; nothing else of it can be changed."""
    provider.send("PATCH", group_path(name), {"tags": tags}, takes=(200,))
    return provider.read(group_path(name))


def delete_group(provider: Azurerm, name: str) -> None:
    """Delete a group; it refuses to while there is a resource in it."""
    path = group_path(name)
    query = "api-version=2023-07-01&$expand=provisioningState&$top=10"
    listed = provider.read(f"{path}/resources?{query}")
    assert listed["value"] == [], "it waits ten minutes for them to go"
    provider.delete(path, takes=(200, 202))


def write_rule(provider: Azurerm, path: str, first: str, last: str) -> Json:
    """Create or update an ``azurerm_redis_firewall_rule``."""
    body = {"properties": {"startIP": first, "endIP": last}}
    provider.put(path, body)
    properties: Json = provider.read(path)["properties"]
    return properties


def delete_rule(provider: Azurerm, path: str) -> None:
    """Delete a rule; it does not look whether it is gone."""
    provider.send("DELETE", path, takes=(200, 204))


def create_link(provider: Azurerm, path: str, linked: Json) -> Json:
    """Create an ``azurerm_redis_linked_server``; ``linked`` is the secondary."""
    asked = {
        "linkedRedisCacheId": linked["id"],
        "linkedRedisCacheLocation": linked["location"],
        "serverRole": "Secondary",
    }
    provider.create(path, {"properties": asked})
    properties: Json = provider.wait_for(path, LINKING)["properties"]
    return properties


def delete_link(provider: Azurerm, path: str) -> None:
    """Delete a link, and look until it stays away."""
    provider.delete(path, takes=(200, 202))
    assert not any(provider.find(path) for _ in range(LOOKS_AT_A_LINK))


def create_named(provider: Azurerm, path: str, properties: Json) -> Json:
    """Create an access policy, or an assignment: both carry their name."""
    body = {"name": path.rpartition("/")[2], "properties": properties}
    provider.create(path, body)
    return provider.read(path)


def update_policy(provider: Azurerm, path: str, permissions: str) -> Json:
    """Update an access policy: it sends back all that it read."""
    shown = provider.read(path)
    properties = {**shown["properties"], "permissions": permissions}
    provider.put(path, {**shown, "properties": properties, "systemData": None})
    return provider.read(path)
