"""The framework that is served, and the health of the server."""
