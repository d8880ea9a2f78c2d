"""Where outputs come from: each module is one source, found by its name."""
