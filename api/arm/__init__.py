"""What every ARM client needs around the cache: one module per noun."""
