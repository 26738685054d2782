"""``jalon simulate recovery``: how well a calibration finds parameters that are known."""
