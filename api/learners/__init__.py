"""Learners: the people that a platform, or they themselves, position."""
