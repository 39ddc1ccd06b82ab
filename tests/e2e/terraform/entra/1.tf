resource "azurerm_resource_group" "group" {
  name     = "tf-entra"
  location = "westeurope"
}

resource "azurerm_redis_cache" "cache" {
  name                = "tf-entra"
  location            = azurerm_resource_group.group.location
  resource_group_name = azurerm_resource_group.group.name
  sku_name            = "Standard"
  family              = "C"
  capacity            = 1

  redis_configuration {
    active_directory_authentication_enabled = true
  }
}

resource "azurerm_redis_cache_access_policy" "readers" {
  name           = "readers"
  redis_cache_id = azurerm_redis_cache.cache.id
  permissions    = "+@read ~app:*"
}

resource "azurerm_redis_cache_access_policy_assignment" "custom" {
  name               = "custom"
  redis_cache_id     = azurerm_redis_cache.cache.id
  access_policy_name = azurerm_redis_cache_access_policy.readers.name
  object_id          = "6f3e2f9c-7c62-4b7a-9bb0-6d0b6f7d8a11"
  object_id_alias    = "an app"
}

resource "azurerm_redis_cache_access_policy_assignment" "builtin" {
  name               = "builtin"
  redis_cache_id     = azurerm_redis_cache.cache.id
  access_policy_name = "Data Owner"
  object_id          = "6f3e2f9c-7c62-4b7a-9bb0-6d0b6f7d8a12"
  object_id_alias    = "an owner"
}
