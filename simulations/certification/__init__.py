"""Simulated certifications: from the positioning that gives the profile to the outcome."""
