resource "azurerm_resource_group" "group" {
  name     = "tf-links"
  location = "westeurope"
}

resource "azurerm_redis_cache" "primary" {
  name                = "tf-links-primary"
  location            = azurerm_resource_group.group.location
  resource_group_name = azurerm_resource_group.group.name
  sku_name            = "Premium"
  family              = "P"
  capacity            = 1
}

resource "azurerm_redis_cache" "secondary" {
  name                = "tf-links-secondary"
  location            = "eastus"
  resource_group_name = azurerm_resource_group.group.name
  sku_name            = "Premium"
  family              = "P"
  capacity            = 1
}

resource "azurerm_redis_linked_server" "link" {
  target_redis_cache_name     = azurerm_redis_cache.primary.name
  resource_group_name         = azurerm_resource_group.group.name
  linked_redis_cache_id       = azurerm_redis_cache.secondary.id
  linked_redis_cache_location = azurerm_redis_cache.secondary.location
  server_role                 = "Secondary"
}
