"""Simulations: what the engine does for thousands of simulated learners, and how far it can be trusted."""
