resource "azurerm_resource_group" "group" {
  name     = "tf-scale"
  location = "westeurope"
}

resource "azurerm_redis_cache" "cache" {
  name                = "tf-scale"
  location            = azurerm_resource_group.group.location
  resource_group_name = azurerm_resource_group.group.name
  sku_name            = "Basic"
  family              = "C"
  capacity            = 1
}
