"""The running program: sources, engine, decisions, incidents and the command line."""

__distribution__ = "outputwatch"
__version__ = "0.1.0"
