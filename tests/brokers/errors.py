"""What can go wrong with a broker under test."""

__all__ = ["BrokerError"]


class BrokerError(RuntimeError):
    """A broker did not come up, or died; the message ends with the last lines of its log."""
