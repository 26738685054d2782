"""Campaigns: tests that an organisation gives its learners, who takes part, and what was sent."""
