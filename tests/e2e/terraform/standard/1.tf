resource "azurerm_resource_group" "group" {
  name     = "tf-standard"
  location = "westeurope"
}

resource "azurerm_redis_cache" "cache" {
  name                = "tf-standard"
  location            = azurerm_resource_group.group.location
  resource_group_name = azurerm_resource_group.group.name
  sku_name            = "Standard"
  family              = "C"
  capacity            = 1

  redis_configuration {
    maxmemory_policy = "allkeys-lru"
    maxmemory_delta  = 200
  }
}

resource "azurerm_redis_firewall_rule" "office" {
  name                = "office"
  redis_cache_name    = azurerm_redis_cache.cache.name
  resource_group_name = azurerm_resource_group.group.name
  start_ip            = "10.0.0.1"
  end_ip              = "10.0.0.9"
}
