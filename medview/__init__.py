"""medview: a research workstation for radiology images.

Layers, from the bottom: ``domain`` (values), ``imaging`` / ``io`` / ``models``
(pixels, files, networks), ``learning`` (cases to tensors and back), ``services``
(what the program can do) and ``ui`` (the window). ``main`` and ``cli`` build it all.
"""

__version__ = "0.1.0"

RESEARCH_USE = "Research use only, not for diagnostic use."
