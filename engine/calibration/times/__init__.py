"""Calibration of response times."""
