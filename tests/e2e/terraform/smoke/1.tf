resource "azurerm_resource_group" "group" {
  name     = "tf-smoke"
  location = "westeurope"
}

resource "azurerm_redis_cache" "cache" {
  name                = "tf-smoke"
  location            = azurerm_resource_group.group.location
  resource_group_name = azurerm_resource_group.group.name
  sku_name            = "Basic"
  family              = "C"
  capacity            = 0
}

resource "azurerm_redis_firewall_rule" "office" {
  name                = "office"
  redis_cache_name    = azurerm_redis_cache.cache.name
  resource_group_name = azurerm_resource_group.group.name
  start_ip            = "10.0.0.1"
  end_ip              = "10.0.0.9"
}

data "azurerm_redis_cache" "cache" {
  name                = azurerm_redis_cache.cache.name
  resource_group_name = azurerm_resource_group.group.name
}

data "azurerm_client_config" "me" {}

data "azurerm_subscription" "current" {}

output "connection" {
  value     = data.azurerm_redis_cache.cache.primary_connection_string
  sensitive = true
}

output "who" {
  value = "${data.azurerm_client_config.me.object_id} in ${data.azurerm_subscription.current.id}"
}
