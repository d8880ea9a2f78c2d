"""What normal looks like: schemas, layouts, window summaries and versioned baselines.

Arithmetic only. Nothing here reads a clock, draws random numbers or talks to a network.
"""

__distribution__ = "outputwatch"
