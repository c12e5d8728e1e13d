"""Make the mean head that turned heads are registered to, from the heads of a data folder.

    python packaging/mean_head.py ../shared/data

Only heads that the shipped region network learnt from are taken: nothing of a head that figures
are measured on is in it, but those of left-out folds, which are not turned.
"""

from __future__ import annotations

import sys

import numpy as np
from safetensors.numpy import save_file

from medview.domain.resources import resource
from medview.io.atomic import whole_file
from medview.learning.cases import find_subsets
from medview.learning.images import read_image
from medview.learning.region_grid import STEP_MM, lying
from medview.learning.upright import mean_of


def main(data: str) -> None:
    """Find the heads, average them, write the file."""
    cases = [c for s in find_subsets((data,), "region-net") if s.name == "ixi-t1" for c in s.cases]
    heads = [lying(read_image(case.image)).shown for case in cases if case.images]
    mean = np.rint(np.clip(mean_of(heads, STEP_MM) / 1.5, 0, 1) * 255).astype(np.uint8)
    path = resource("weights", "mean-head", "weights.safetensors")
    path.parent.mkdir(exist_ok=True)
    with whole_file(path) as draft:
        save_file(
            {"head": mean},
            draft,
            {"made_of": f"{len(heads)} heads of IXI (brain-development.org), CC BY-SA 3.0"},
        )
    print(f"{path}: mean of {len(heads)} heads and their mirror images, {mean.shape}")


if __name__ == "__main__":
    main(sys.argv[1])
