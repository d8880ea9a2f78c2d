"""The running monitor: streams in, windows decided, everything kept in one transaction."""
