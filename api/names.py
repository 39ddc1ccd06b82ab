"""Names in a path: what ARM and the service allow them to be."""

from __future__ import annotations

from api.errors import ArmError
from api.forms import Form
from controller.model import CacheKey

# A DNS label: letters, digits and hyphens, begins and ends with one of the former,
# no two hyphens in a row. Source: "Naming rules for Azure resources".
CACHE = Form(
    pattern="[A-Za-z0-9]+(-[A-Za-z0-9]+)*",
    least=1,
    most=63,
    hint="A cache name has 1 to 63 letters, digits and hyphens, begins and ends with "
    "a letter or digit, and has no two hyphens in a row",
)
GROUP = Form(
    pattern=r"[-\w.()]*[-\w()]",
    least=1,
    most=90,
    hint="It has 1 to 90 letters, digits, '-', '_', '.', '(' and ')', and does not "
    "end with '.'",
)
SUBSCRIPTION = Form(
    pattern="[A-Za-z0-9][-A-Za-z0-9_.]*",
    least=1,
    most=90,
    hint="Use a GUID, or letters, digits, '-', '_' and '.'",
)


def cache_key(subscription: str, group: str, name: str) -> CacheKey:
    """Make the key of a cache from the segments of a path, or raise `ArmError`."""
    check_group(subscription, group)
    if not CACHE.fits(name):
        raise ArmError(
            400,
            "InvalidRequestBody",
            f"The value of the parameter 'name' is invalid. {CACHE.hint}.",
        )
    return CacheKey(subscription, group, name)


def check_group(subscription: str, group: str) -> None:
    """Raise `ArmError` if the resource group can have no such name."""
    check_subscription(subscription)
    if not GROUP.fits(group):
        raise ArmError(
            400,
            "InvalidResourceGroup",
            f"The provided resource group name {group!a} is invalid. {GROUP.hint}.",
            gateway=True,
        )


def check_subscription(subscription: str) -> None:
    """Raise `ArmError` if a subscription can have no such id; it need be no GUID."""
    if not SUBSCRIPTION.fits(subscription):
        raise ArmError(
            400,
            "InvalidSubscriptionId",
            f"The provided subscription identifier {subscription!a} is malformed or "
            f"invalid. {SUBSCRIPTION.hint}.",
            gateway=True,
        )
