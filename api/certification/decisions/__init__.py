"""Decisions: what the answers of a session's candidates certify, the jury, publication."""
