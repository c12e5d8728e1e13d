"""Pure functions on domain values: slices, windows, colours and the frame of a pane."""
