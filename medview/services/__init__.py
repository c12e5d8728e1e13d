"""What the program can do. No Qt and no torch by name."""
