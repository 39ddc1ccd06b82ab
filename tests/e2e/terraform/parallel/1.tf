resource "azurerm_resource_group" "group" {
  name     = "tf-parallel"
  location = "westeurope"
}

resource "azurerm_redis_cache" "cache" {
  count               = 5
  name                = "tf-parallel-${count.index}"
  location            = azurerm_resource_group.group.location
  resource_group_name = azurerm_resource_group.group.name
  sku_name            = "Basic"
  family              = "C"
  capacity            = 0
}

resource "azurerm_redis_firewall_rule" "rule" {
  count               = 10
  name                = "rule_${count.index}"
  redis_cache_name    = azurerm_redis_cache.cache[count.index % 5].name
  resource_group_name = azurerm_resource_group.group.name
  start_ip            = "10.0.0.${count.index}"
  end_ip              = "10.0.0.${count.index}"
}
