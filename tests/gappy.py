"""Made-up tables with gaps for the classical models."""

import numpy as np


def gappy_table(n=240, seed=0, gaps=0.2):
    """Columns, outcomes and group names of n rows; a product decides."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    y = x[:, 0] + x[:, 1] * x[:, 2] + rng.normal(0, 0.5, n) > 0
    x[rng.random(x.shape) < gaps] = np.nan
    return x, y, [str(k) for k in range(n)]
