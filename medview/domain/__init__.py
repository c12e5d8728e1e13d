"""What the program talks about: frozen values that know neither Qt, torch nor files."""
