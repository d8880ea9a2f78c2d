"""The errors that a user can act on; each room derives its own from these."""

__all__ = ["OutputwatchError"]


class OutputwatchError(Exception):
    """Something that the message explains and that the user can put right.

    The command line prints the message alone and ends with status 1.
    """
