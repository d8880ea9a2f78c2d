"""Imports what a worker imports on its way, some of it late, so that those forked need not."""

import importlib
import pkgutil

import detectors

MODULES = (
    "kafka.admin",
    "monitor.engine.daemon.process",
    "monitor.engine.daemon.summary",
    "monitor.sources.http",
    "monitor.sources.kafka_stream.kafka_python",
    "monitor.sources.kafka_stream.opening",
    "monitor.sources.stdin",
    "pandas",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "tests.replay.chaos.worker_process",
)

for name in MODULES:
    importlib.import_module(name)
for found in pkgutil.iter_modules(detectors.__path__):
    importlib.import_module(f"detectors.{found.name}")
