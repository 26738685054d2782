"""Runs: one learner's pass through one test, stored as facts."""
