"""Where the servers run: one module per engine, one interface."""
