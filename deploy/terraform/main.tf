# A cache of the emulator on this machine, made by terraform. Beside this folder run
#
#     export SSL_CERT_FILE=ca-bundle.pem   # from https://localhost:4577/_emulator/ca-bundle.pem
#     export ARM_METADATA_HOSTNAME=localhost:4577
#     export ARM_SUBSCRIPTION_ID=00000000-0000-0000-0000-000000000001
#     export ARM_TENANT_ID=any ARM_CLIENT_ID=any ARM_CLIENT_SECRET=any
#     terraform init && terraform apply
#
# and `terraform output -raw connection` for what an application needs.
terraform {
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 4.21"
    }
  }
}

provider "azurerm" {
  features {}
  resource_provider_registrations = "none"
}

resource "azurerm_resource_group" "example" {
  name     = "example"
  location = "westeurope"
}

resource "azurerm_redis_cache" "example" {
  name                = "example-cache"
  location            = azurerm_resource_group.example.location
  resource_group_name = azurerm_resource_group.example.name
  sku_name            = "Standard"
  family              = "C"
  capacity            = 1

  redis_configuration {
    maxmemory_policy = "allkeys-lru"
  }
}

resource "azurerm_redis_firewall_rule" "office" {
  name                = "office"
  redis_cache_name    = azurerm_redis_cache.example.name
  resource_group_name = azurerm_resource_group.example.name
  start_ip            = "10.0.0.1"
  end_ip              = "10.0.0.9"
}

output "connection" {
  value     = azurerm_redis_cache.example.primary_connection_string
  sensitive = true
}
