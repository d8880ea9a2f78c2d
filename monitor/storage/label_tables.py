"""The table of what waits for its other half: outputs for labels, labels for outputs."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table

from monitor.storage.tables import WORDS, metadata

__all__ = ["awaiting_label"]

awaiting_label = Table(
    "awaiting_label",
    metadata,
    Column("monitor", WORDS, primary_key=True),
    # 64 bits of a hash of the event id.
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("state", Integer, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    # The fields that are needed once the other half has come; empty if none are.
    Column("body", LargeBinary, nullable=False),
    Index(None, "monitor", "state", "time_us"),
)
