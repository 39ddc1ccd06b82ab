"""``/openapi.json``: what is served, generated from the models that check requests."""
