"""Files in and out. Runs in the files child; never imports Qt or torch."""
