resource "azurerm_resource_group" "group" {
  name     = "tf-persistence"
  location = "westeurope"
}

resource "azurerm_redis_cache" "cache" {
  name                = "tf-persistence"
  location            = azurerm_resource_group.group.location
  resource_group_name = azurerm_resource_group.group.name
  sku_name            = "Premium"
  family              = "P"
  capacity            = 1

  redis_configuration {
    aof_backup_enabled              = true
    aof_storage_connection_string_0 = "DefaultEndpointsProtocol=https;AccountName=any;AccountKey=c2VjcmV0"
    aof_storage_connection_string_1 = "DefaultEndpointsProtocol=https;AccountName=any;AccountKey=c2VjcmV0"
  }
}
