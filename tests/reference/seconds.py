"""Response times made from a seed, and their density by the definition."""

import numpy as np
from scipy.stats import multivariate_normal


def simulated(
    seed: int, learners: int, items: int, measured: float = 1.0, sd: float = 0.4
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Seconds of the model, and the intensities and discriminations that made them."""
    rng = np.random.default_rng(seed)
    intensity, discrimination = rng.normal(4.0, 0.5, items), rng.uniform(1.2, 3.0, items)
    speed = rng.normal(0.0, sd, learners)
    noise = rng.normal(size=(learners, items)) / discrimination
    seconds = np.exp(intensity - speed[:, None] + noise)
    seconds[rng.uniform(size=seconds.shape) >= measured] = np.nan
    return seconds, intensity, discrimination


def dense_log_likelihood(
    seconds: np.ndarray, intensity: np.ndarray, discrimination: np.ndarray, speed_sd: float
) -> float:
    """Learner by learner, the multivariate normal density of the log seconds that exist."""
    total = 0.0
    for row in seconds:
        seen = np.isfinite(row) & (row > 0)
        if seen.any():
            covariance = speed_sd**2 + np.diag(discrimination[seen] ** -2.0)
            total += multivariate_normal(intensity[seen], covariance).logpdf(np.log(row[seen]))
    return float(total)
