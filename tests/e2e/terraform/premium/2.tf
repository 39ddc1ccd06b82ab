resource "azurerm_resource_group" "group" {
  name     = "tf-premium"
  location = "westeurope"
}

resource "azurerm_redis_cache" "cache" {
  name                = "tf-premium"
  location            = azurerm_resource_group.group.location
  resource_group_name = azurerm_resource_group.group.name
  sku_name            = "Premium"
  family              = "P"
  capacity            = 1
  zones               = ["1", "2"]

  patch_schedule {
    day_of_week = "Monday"
  }
}
