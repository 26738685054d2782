"""Standard errors: the observed information of a calibration."""
