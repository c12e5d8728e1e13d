"""The docks of the window, one per file."""
