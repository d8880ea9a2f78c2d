"""A folder with what every run of chaos shares: a baseline, an empty database, audits."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from baselines.baseline import Baseline
from baselines.store import BaselineStore
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.engine.fit import fit_baseline
from monitor.engine.progress import NoProgress
from monitor.storage.store import Store
from tests.replay.chaos.outcome import AuditOutcome, audit_outcome
from tests.replay.chaos.scenario import (
    CLOCK,
    Scenario,
    write_configuration,
    write_reference,
)

__all__ = ["Setting"]


@dataclass(frozen=True)
class Setting:
    """The folder, and the baseline in it."""

    folder: Path
    baseline: Baseline

    @classmethod
    def made(cls, folder: Path) -> "Setting":
        """Fit the baseline on two weeks of outputs."""
        write_reference(folder / "reference.jsonl")
        path = write_configuration(
            folder / "fit.yaml",
            source="{type: files, paths: [none.jsonl]}",
            shared=folder,
            storage=f"sqlite:///{folder / 'empty.db'}",
        )
        configuration = load_configuration(path)
        baseline = fit_baseline(configuration, clock=CLOCK, progress=NoProgress()).baseline
        store = BaselineStore(configuration.baseline.directory)
        store.promote(store.save(baseline), who="chaos", why="a reference", at=CLOCK.now_us())
        with Store.open(configuration.storage.url):
            pass
        return cls(folder, baseline)

    def configuration(self, storage: str, name: str = "run") -> Configuration:
        """Return a configuration for runs in this process; the source is given to each."""
        path = write_configuration(
            self.folder / f"{name}.yaml",
            source="{type: files, paths: [none.jsonl]}",
            shared=self.folder,
            storage=storage,
        )
        return load_configuration(path)

    def fresh_sqlite(self, name: str, folder: Path | None = None) -> str:
        """Return the URL of an empty database with all tables, here or in another folder."""
        path = (folder or self.folder) / f"{name}.db"
        for leftover in path.parent.glob(f"{path.name}*"):
            leftover.unlink()
        shutil.copyfile(self.folder / "empty.db", path)
        return f"sqlite:///{path}"

    def audited(self, scenario: Scenario, name: str) -> AuditOutcome:
        """Return what an audit of the scenario's outputs finds."""
        log = self.folder / f"{name}.jsonl"
        log.write_bytes(b"".join(payload + b"\n" for payload in scenario.outputs))
        path = write_configuration(
            self.folder / f"{name}.yaml",
            source=f'{{type: files, paths: ["{log}"]}}',
            shared=self.folder,
            storage=self.fresh_sqlite(name),
        )
        return audit_outcome(load_configuration(path), self.baseline)
