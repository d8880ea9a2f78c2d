"""Event time to windows: which window an event falls in, and when a window is closed."""
