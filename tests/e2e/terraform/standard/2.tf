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

  non_ssl_port_enabled = true

  redis_configuration {
    maxmemory_policy       = "allkeys-lfu"
    maxmemory_delta        = 200
    notify_keyspace_events = "KEA"
  }
}

resource "azurerm_redis_firewall_rule" "office" {
  name                = "office"
  redis_cache_name    = azurerm_redis_cache.cache.name
  resource_group_name = azurerm_resource_group.group.name
  start_ip            = "10.0.0.1"
  end_ip              = "10.0.0.5"
}
