resource "azurerm_resource_group" "group" {
  name     = "tf-basic"
  location = "westeurope"
  tags     = {}
}

resource "azurerm_redis_cache" "cache" {
  name                = "tf-basic"
  location            = azurerm_resource_group.group.location
  resource_group_name = azurerm_resource_group.group.name
  sku_name            = "Basic"
  family              = "C"
  capacity            = 0
  tags                = {}
}
