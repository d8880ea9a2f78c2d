"""A case from the alarm to the post-mortem on the command line, in a process of its own.

It runs where there is no network: `sitecustomize` refuses every socket but those of the same
machine that have no address, and writes down who asked for one.
"""

import json
import sys
from pathlib import Path
from typing import Any

from monitor.incidents.drafts.audiences import AUDIENCES, Audience
from monitor.incidents.drafts.fields import DEFINITIONS
from monitor.incidents.postmortem.sections import SECTIONS
from tests.acceptance.case import ADA, BEN, EVE, LEA, SECOND_CEM, Case

__all__ = ["FLAG", "PROBE", "ROLLBACK", "UNPLUGGED", "from_alarm_to_post_mortem"]

UNPLUGGED = """
import errno, os, socket, sys

def _refuse(event, arguments):
    if event == "socket.__new__" and arguments[1] == socket.AF_UNIX:
        return
    if event in ("socket.__new__", "socket.getaddrinfo", "socket.gethostbyname"):
        with open(os.environ["ASKED_FOR_A_NETWORK"], "a") as file:
            print(event, arguments[1:], file=file)
        raise OSError(errno.ENETUNREACH, "the network is unplugged")

sys.addaudithook(_refuse)
"""
FLAG = {
    "flags": {
        "model": {
            "state": "ENABLED",
            "variants": {"careful": "model-7", "bold": "model-8"},
            "defaultVariant": "bold",
        }
    }
}
# What serves reads the file itself, with other code than ours.
PROBE = """#!/usr/bin/python3
import json
flag = json.load(open({flags!r}))["flags"]["model"]
print(flag["variants"][flag["defaultVariant"]])
"""
ROLLBACK = """
rollbacks:
  - name: scorer back
    kind: model
    target: scorer
    owner: scoring team
    releases:
      - {{reference: careful, evidence: passing, evidence_source: evaluation 41, serving: model-7}}
      - {{reference: bold, serving: model-8}}
    verification: {{reads: 2, interval_seconds: 0.1, max_minutes: 0.1}}
    adapter: {{type: flag_file, path: {flags}, flag: model}}
    probe: {{type: command, program: {probe}, timeout_seconds: 5}}
"""


def from_alarm_to_post_mortem(case: Case) -> dict[str, Any]:
    """Work through incident 1 and return what was seen at each stage."""
    case.ran("check", str(case.path))
    seen: dict[str, Any] = {"audit": len(case.audit()["incidents"])}
    case.act("show", "1", "--by", "eve", "--role", "on_call")
    case.act("ack", "1", *EVE)
    case.fill_roles(1)
    seen["fact"] = case.act("fact", "1", *LEA, "--fact", "harm_linked")["tier"]
    case.act("confirm", "1", *ADA, "--tier", "SEV1")
    seen["asked"] = asked()
    _screened(case)
    seen["rolled_back"] = _rolled_back(case)
    seen["contained"] = case.shown(1)["state"]
    seen["draft"] = _drafted(case)
    case.act("monitor", "1", *ADA)
    seen["resolved"] = case.act("resolve", "1", *ADA, "--without-evidence")["state"]
    case.act("review", "1", *ADA)
    seen["post_mortem"] = _reviewed(case)
    case.act("close", "1", *ADA, "--second", "lea", "--second-role", "legal")
    heads = str(case.folder / "heads.jsonl")
    case.act("anchor", "--to", heads)
    seen["verify"] = case.act("verify", "--anchor", heads)
    seen["asked"] += asked()
    seen["sent"] = case.send(status=1)
    seen["asked_to_send"] = asked()
    return seen


def _screened(case: Case) -> None:
    assert "RUNS" not in case.comms("clocks", "1")
    case.comms("decide-clock", "1", "gdpr_33", "--does-not-apply", *LEA)


def _rolled_back(case: Case) -> str:
    ask = ("scorer back", "--incident", "1", *EVE)
    made = json.loads(case.ran("rollback", "prepare", str(case.path), *ask, "--json"))
    agree = ("--hash", made["dry_run"]["hash"], *ADA)
    case.ran("rollback", "approve", str(case.path), made["id"], *agree)
    ended = json.loads(case.ran("rollback", "run", str(case.path), made["id"], *ADA, "--json"))
    return str(ended["end"])


def _drafted(case: Case) -> str:
    for name in AUDIENCES[Audience.STAFF].blocking:
        if DEFINITIONS[name].human:
            case.comms("state", "1", name, f"words on {name}", *LEA, *SECOND_CEM)
    case.comms("draft", "1", "staff")
    case.comms("approve", "1", "staff", *ADA)
    return case.comms("show", "1", "staff", "--to-send")


def _reviewed(case: Case) -> str:
    path = str(case.path)
    for section in SECTIONS:
        case.ran("postmortem", "write", path, "1", section, f"words on {section}", *ADA)
    for kind, who in (("cause", BEN), ("harm", ADA)):
        words = ("--kind", f"{kind}_stated", "--text", f"words on the {kind}")
        case.act("note", "1", *who, *words, "--second", "lea", "--second-role", "legal")
    item = ("write to them", "--owner", "ben", "--due", "2999-01-01T00:00:00Z", *ADA)
    shown = ("--kind", "remedy_people", "--series", "missing_rate(score)")
    case.ran("postmortem", "item", "add", path, "1", *item, *shown)
    case.ran("postmortem", "check", path, "1")
    both = (*BEN, "--second", "ada", "--second-role", "commander")
    return case.ran("postmortem", "publish", path, "1", *both)


def asked() -> list[str]:
    """Return who asked for a network since this was called before."""
    path = Path(sys.argv[2])
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(json.dumps(from_alarm_to_post_mortem(Case(folder, folder / "monitor.yaml"))))
