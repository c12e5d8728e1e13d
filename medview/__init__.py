"""medview: a research workstation for radiology images.

Layers, from the bottom: ``domain`` (values), ``imaging`` / ``io`` / ``models``
(pixels, files, networks), ``learning`` (cases to tensors and back), ``services``
(what the program can do) and ``ui`` (the window). ``main`` and ``cli`` build it all.

Rules of geometry that comments name by number, as (R22), are explained in ``domain``.
"""

__version__ = "0.1.0"

RESEARCH_USE = "Research use only, not for diagnostic use."
