# Everything else is in the environment: ARM_METADATA_HOSTNAME, ARM_SUBSCRIPTION_ID, any
# tenant, client and secret, and the CA in SSL_CERT_FILE.
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
