"""Certification: organisations, sessions, candidates, decisions and certificates."""
