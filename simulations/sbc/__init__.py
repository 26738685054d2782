"""``jalon simulate sbc``: simulation-based calibration of posteriors and of standard errors."""
