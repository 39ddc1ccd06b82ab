"""``/metadata/endpoints``: where ARM clients learn the rest of a cloud's addresses."""

from __future__ import annotations

from typing import Any

import falcon

from api.context import api_version, base_url
from api.errors import ArmError

CLOUD_NAME = "AzureRedisEmulator"
FIRST_OBJECT = "2022-09-01"  # before that, a list of clouds
FIRST_LIST = "2019-05-01"  # before that, shapes that no client depends on

# Names below localhost never leave the machine, whatever a client tries with them.
SUFFIXES = {
    "storage": "core.emulator.localhost",
    "keyVaultDns": "vault.emulator.localhost",
    "mhsmDns": "managedhsm.emulator.localhost",
    "sqlServerHostname": "database.emulator.localhost",
    "mysqlServerEndpoint": "mysql.database.emulator.localhost",
    "mariadbServerEndpoint": "mariadb.database.emulator.localhost",
    "postgresqlServerEndpoint": "postgres.database.emulator.localhost",
    "acrLoginServer": "azurecr.emulator.localhost",
    "attestationEndpoint": "attest.emulator.localhost",
    "storageSyncEndpointSuffix": "afs.emulator.localhost",
    "synapseAnalytics": "dev.azuresynapse.emulator.localhost",
    "azureDataLakeStoreFileSystem": "azuredatalakestore.emulator.localhost",
    "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.emulator.localhost",
}
# Other services of a cloud: named, so that a client can register it, and not served.
ELSEWHERE = (
    "activeDirectoryDataLake",
    "appInsightsResourceId",
    "appInsightsTelemetryChannelResourceId",
    "appServiceResourceId",
    "attestationResourceId",
    "azmirrorStorageAccountResourceId",
    "batch",
    "gallery",
    "graph",
    "graphAudience",
    "logAnalyticsResourceId",
    "media",
    "ossrdbmsResourceId",
    "portal",
    "sqlManagement",
    "synapseAnalyticsResourceId",
    "vmImageAliasDoc",
)


class Endpoints:
    """``GET /metadata/endpoints``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Describe this cloud, in the shape of the api-version.

        azurerm 3 and 4 also ask for 2018-01-01, for a list of regions to check a
        ``location`` against; they do without it when the answer is 404.
        """
        version = api_version(req)
        if version < FIRST_LIST:
            raise ArmError(
                404,
                "InvalidApiVersionParameter",
                f"The api-version '{version}' is invalid. The supported versions are "
                f"'{FIRST_LIST},{FIRST_OBJECT}'.",
                gateway=True,
            )
        cloud = _cloud(base_url(req))
        resp.media = cloud if version >= FIRST_OBJECT else [cloud]


def _cloud(base: str) -> dict[str, Any]:
    """Describe the cloud. Source: what az 2.91 and azurerm 3 to 5 read of it.

    A login endpoint that ends in ``adfs`` is never checked against the list of
    Microsoft's own hosts, so that az, MSAL and azure-identity need no option for it.
    """
    return dict.fromkeys(ELSEWHERE, base) | {
        "name": CLOUD_NAME,
        "resourceManager": base,
        "microsoftGraphResourceId": f"{base}/graph",
        "authentication": {
            "loginEndpoint": f"{base}/adfs",
            "audiences": [base],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": SUFFIXES,
    }
