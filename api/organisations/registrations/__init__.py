"""Learners on the list of an organisation."""
