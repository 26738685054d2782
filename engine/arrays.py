"""Names of array types used in annotations; shapes stand in the docstrings, ``(*batch, core)``."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
