"""What PySide keeps a Python object of."""

import shiboken6
from PySide6.QtWidgets import QLayout, QLayoutItem


def layout_items():
    """Items of layouts that have a Python object, by their types.

    Such an object outlives its item. A layout made later at the item's address finds it there when
    it ends, and the program ends with it.
    """
    living = shiboken6.getAllValidWrappers()
    items = [each for each in living if isinstance(each, QLayoutItem)]
    return [type(each).__name__ for each in items if not isinstance(each, QLayout)]
