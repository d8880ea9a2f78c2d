"""Pure functions that compare a window with a baseline.

``detector.compare(reference, window) -> Finding``: no input or output, no clock, no
randomness, no logging. What a detector needs from rows is in the summary.
"""

__distribution__ = "outputwatch"
