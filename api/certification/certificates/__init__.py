"""Certificates: paper, signed credentials, and the public check."""
