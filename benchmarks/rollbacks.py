"""Seconds from the decision to a verified rollback, for each adapter on the real thing.

    python -m benchmarks.rollbacks

A decision is the last approval; verified means two reads in a row, 0.2 seconds apart, of the
plane and of what serves. What serves here reads the plane at each request; where clients keep
copies, their lifetime comes on top (`cache_seconds`): a minute for MLflow's prompts. The time of
the dry run, before anybody agreed, stands beside it. MLflow and git are real, the deployer is a
process of its own that needs a second. Each rollback belongs to an incident of its own: its
timeline, its vault and its state are written too.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from detectors.base import FailureMode
from monitor.clock import SystemClock
from monitor.engine.response.acting import ActingDesk
from monitor.engine.response.rolling.desk import RollbackDesk
from monitor.incidents.acts.base import Occasion
from monitor.incidents.acts.opening import Report
from monitor.incidents.roles import Person, Role
from monitor.rollbacks.adapter import Adapter, Probe
from monitor.rollbacks.adapters.command import Command
from monitor.rollbacks.adapters.flag_file import FlagFile
from monitor.rollbacks.adapters.git_path import GitPath
from monitor.rollbacks.adapters.mlflow_alias import MlflowAlias
from monitor.rollbacks.adapters.webhook import Webhook
from monitor.rollbacks.plans import (
    Evidence,
    PlanKind,
    PlanOptions,
    Release,
    RollbackPlan,
    Verification,
)
from monitor.rollbacks.probes.command import CommandProbe
from monitor.rollbacks.probes.http import HttpProbe
from monitor.storage import Store
from tests.integration.rollbacks.mlflow_server import (
    add_prompt_version,
    add_version,
    call,
    running_mlflow,
)
from tests.monitor.rollbacks.carrying_out import script
from tests.monitor.rollbacks.deployer import running_deployer

Case = tuple[str, Adapter, Probe, str, str]
MONITOR = "scorer/benchmark"
EVE = Person(name="eve", role=Role.ON_CALL)
ADA = Person(name="ada", role=Role.COMMANDER)
FLAGS = """{
  "flags": {
    "prompt": {"state": "ENABLED", "variants": {"v7": "7", "v8": "8"}, "defaultVariant": "v8"}
  }
}
"""


def flag_case(folder: Path) -> Case:
    """Return a flag file, read by another program."""
    path = folder / "flags.json"
    path.write_text(FLAGS)
    code = f"""#!{sys.executable}
import json
print(json.load(open({str(path)!r}))["flags"]["prompt"]["defaultVariant"])
"""
    probe = CommandProbe(program=script(folder / "reads-flag", code))
    return "flag file", FlagFile(path=str(path), flag="prompt"), probe, "v7", "v7"


def command_case(folder: Path) -> Case:
    """Return a program that writes a file."""
    (folder / "state").write_text("v8")
    code = f"""#!/bin/sh
cd {folder}
[ "$1" = show ] && exec /bin/cat state
printf %s "$2" > state
"""
    program = script(folder / "switch", code)
    adapter = Command(
        program=program, observe_arguments=("show",), apply_arguments=("set", "{to}")
    )
    return "command", adapter, CommandProbe(program=program, arguments=("show",)), "v7", "v7"


def git_case(folder: Path) -> Case:
    """Return a repository with two commits of a prompt."""
    bare, clone = folder / "bare", folder / "clone"

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=Dee", "-c", "user.email=dee@localhost"]
        done = subprocess.run(
            ["git", *identity, "-C", str(folder), *arguments],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    git("init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git("clone", "--quiet", str(bare), str(clone))
    commits = []
    for text in ("careful", "bold"):
        (clone / "prompt").write_text(text)
        git("-C", str(clone), "add", "prompt")
        git("-C", str(clone), "commit", "--quiet", "--message", text)
        git("-C", str(clone), "push", "--quiet", "origin", "HEAD:main")
        commits.append(git("-C", str(clone), "rev-parse", "HEAD"))
    reads = script(
        folder / "reads-git", f"#!/bin/sh\nexec /usr/bin/git --git-dir={bare} show main:prompt\n"
    )
    adapter = GitPath(repository=str(bare), path="prompt")
    return "git path", adapter, CommandProbe(program=reads), commits[0], "careful"


@contextmanager
def webhook_case(folder: Path) -> Iterator[Case]:
    """Give a deployer that needs a second."""
    secret = folder / "secret"
    secret.write_text("a long shared secret")
    with running_deployer(folder / "state.json", secret, "slow") as url:
        adapter = Webhook(url=url, target="scorer", secret_file=str(secret))
        probe = HttpProbe(url=url, header="X-Release")
        yield "webhook, deployer needs 1 s", adapter, probe, "v7", "v7"


@contextmanager
def mlflow_cases(folder: Path) -> Iterator[list[Case]]:
    """Give a model and a prompt of an MLflow server."""
    with running_mlflow(folder) as url:
        for name in ("model", "prompt"):
            call(url, "registered-models/create", {"name": name})
            for number in "12":
                if name == "model":
                    add_version(url, name)
                else:
                    add_prompt_version(url, name, f"prompt {number}")
            asked = {"name": name, "alias": "champion", "version": "2"}
            call(url, "registered-models/alias", asked)
        path = f"{url}/api/2.0/mlflow/registered-models/alias?alias=champion&name="
        yield [
            (
                f"MLflow {name}",
                MlflowAlias(tracking_url=url, model=name, alias="champion"),
                HttpProbe(url=path + name, json_field="model_version.version"),
                "1",
                "1",
            )
            for name in ("model", "prompt")
        ]


def plan_of(case: Case) -> RollbackPlan:
    """Return the plan of a case."""
    name, adapter, probe, to, serving = case
    release = Release(
        reference=to, serving=serving, evidence=Evidence.PASSING, evidence_source="benchmark"
    )
    options = PlanOptions(
        name=name,
        kind=PlanKind.CONFIGURATION,
        target=name,
        owner="benchmark",
        releases=(release,),
        to=to,
        verification=Verification(reads=2, interval_seconds=0.2, max_minutes=1),
    )
    return RollbackPlan(options=options, adapter=adapter, probe=probe)


def incident_in(store: Store, title: str) -> str:
    """Return the id of a new incident."""
    desk = ActingDesk(store=store, monitor=MONITOR, clock=SystemClock())
    report = Report(
        system="scorer",
        environment="benchmark",
        title=title,
        failure_mode=FailureMode.BEHAVIOURAL,
    )
    return desk.open(report, Occasion(by=EVE, reason="benchmark", now_us=0)).id


def measured(case: Case, store: Store) -> tuple[float, float, str]:
    """Return the seconds of the dry run, those from decision to end, and how it ended."""
    plan = plan_of(case)
    desk = RollbackDesk(store=store, monitor=MONITOR, plans=(plan,), clock=SystemClock())
    incident = incident_in(store, plan.name)
    began = time.perf_counter()
    execution = desk.prepare(plan.name, EVE, "benchmark", incident=incident)
    shown = time.perf_counter()
    desk.approve(execution.id, ADA, execution.dry_run.hash)
    ended = desk.run(execution.id, ADA)
    state = store.incidents(MONITOR).find(incident).state
    return shown - began, time.perf_counter() - shown, f"{ended.end}, incident {state}"


def main() -> None:
    """Print a line for each adapter."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = stack.enter_context(Store.open(f"sqlite:///{folder / 'monitor.db'}"))
        cases = [flag_case(folder), git_case(folder), command_case(folder)]
        cases.append(stack.enter_context(webhook_case(folder)))
        cases += stack.enter_context(mlflow_cases(folder))
        print(f"{'adapter':<30} {'dry run s':>9} {'decision to verified s':>23}  end")
        for case in cases:
            dry, decided, end = measured(case, store)
            print(f"{case[0]:<30} {dry:>9.2f} {decided:>23.2f}  {end}", flush=True)


if __name__ == "__main__":
    main()
