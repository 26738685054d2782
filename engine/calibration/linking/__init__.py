"""Scales: putting the parameters of one calibration on the scale of another."""
