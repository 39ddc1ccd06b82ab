"""Desired caches in, running Valkey servers out."""
