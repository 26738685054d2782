"""Certification: centres, sessions, candidates, decisions and certificates."""
