"""The ARM API over HTTP: translates, decides nothing."""
