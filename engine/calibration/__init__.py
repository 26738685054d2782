"""Calibration: item parameters from responses, with their standard errors, fit and DIF."""
