"""Microsoft.Cache/redis: one module per operation group."""
