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
    rdb_backup_enabled            = true
    rdb_backup_frequency          = 60
    rdb_backup_max_snapshot_count = 1
    rdb_storage_connection_string = "DefaultEndpointsProtocol=https;AccountName=any;AccountKey=c2VjcmV0"
  }
}
