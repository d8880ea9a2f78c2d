"""Many series at once: each panel gathers the evidence of all series of one kind.

A panel is given the questions of one stretch of time, one for each series, and returns where
each series stands. It is a pure function of its state and the questions; its state follows
from the integer counts of the windows and can be computed again from them.
"""
