"""Films and what a model said of them, as figures are made from."""

import numpy as np

from medview.learning.cxr_metrics import Said
from medview.learning.subset import TrainCase


def case(number, patient=None, site="a", **cells):
    """A film of a patient; `cells` are what is known of it."""
    return TrainCase(f"c{number}", patient or f"p{number}", {}, "film", site=site, cells=cells)


def said(cases, severe=None, zones=None):
    """What a model said of films: chances of the outcome (n,), scores of the zones (n, 6)."""
    n = len(cases)
    zones = np.full((n, 6), np.nan) if zones is None else np.asarray(zones, float)
    severity = np.digitize(zones.sum(1), (4.5, 9.5, 14.5)) * 1.0
    severity[~np.isfinite(zones).all(1)] = np.nan
    severe = np.full(n, np.nan) if severe is None else np.asarray(severe, float)
    return Said(tuple(cases), severe, zones, severity, np.full(n, 6.0))


def row(rows, **wanted):
    """The first row with these fields."""
    return next(r for r in rows if all(getattr(r, k) == v for k, v in wanted.items()))
