"""One TCP port for HTTP and HTTPS, in front of waitress."""
