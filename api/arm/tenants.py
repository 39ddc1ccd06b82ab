"""``/tenants``: the one directory there is."""

from __future__ import annotations

import falcon

from api.arm.principals import HOME_TENANT

DOMAIN = "emulator.localhost"


class TenantCollection:
    """``GET /tenants``. Source: "Tenants - List", api-version 2022-12-01."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """List the home tenant; tokens of any other are as good."""
        tenant = {
            "id": f"/tenants/{HOME_TENANT}",
            "tenantId": HOME_TENANT,
            "countryCode": "US",
            "displayName": "Emulator",
            "domains": [DOMAIN],
            "defaultDomain": DOMAIN,
            "tenantCategory": "Home",
            "tenantType": "AAD",
        }
        resp.media = {"value": [tenant]}
