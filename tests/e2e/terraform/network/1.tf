resource "azurerm_resource_group" "group" {
  name     = "tf-network"
  location = "westeurope"
}

resource "azurerm_redis_cache" "cache" {
  name                      = "tf-network"
  location                  = azurerm_resource_group.group.location
  resource_group_name       = azurerm_resource_group.group.name
  sku_name                  = "Premium"
  family                    = "P"
  capacity                  = 1
  replicas_per_primary      = 2
  private_static_ip_address = "10.0.0.9"
  subnet_id                 = "${azurerm_resource_group.group.id}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/caches"
  tenant_settings           = { setting = "1" }

  redis_configuration {
    authentication_enabled = false
  }
}
