"""Evidence over many windows: e-values and how they are gathered."""
