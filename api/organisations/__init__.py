"""Organisations: schools and others, who works for them, who learns there."""
