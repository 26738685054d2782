"""Fit: of items, of pairs of items, of the whole; reliability."""
