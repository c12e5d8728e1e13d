"""The window: draws the session and sends wishes."""
