"""A database of each kind."""

from tests.monitor.storage.conftest import database_url as any_database_url
from tests.monitor.storage.conftest import postgresql_server

__all__ = ["any_database_url", "postgresql_server"]
