"""Aliases of a real MLflow server, and a client of its own that loads through them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.rollbacks.adapters.mlflow_alias import MlflowAlias
from monitor.rollbacks.errors import MovedError, UnreadableError
from monitor.rollbacks.execution import EndState
from monitor.rollbacks.probes.command import CommandProbe
from monitor.rollbacks.probes.http import HttpProbe
from tests.integration.rollbacks.environments import cached_environment
from tests.integration.rollbacks.mlflow_server import (
    MLFLOW_VERSION,
    add_prompt_version,
    add_version,
    call,
    running_mlflow,
)
from tests.monitor.rollbacks.carrying_out import carried_out, plan_to, script
from tests.monitor.rollbacks.planes import Plane


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_mlflow(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.fixture
def model(server: str, request: pytest.FixtureRequest) -> str:
    name = f"model of {request.node.name}"
    call(server, "registered-models/create", {"name": name})
    for number in (1, 2):
        add_version(server, name, description=f"trained in week {number}")
    call(server, "registered-models/alias", {"name": name, "alias": "champion", "version": "2"})
    return name


def adapter_of(server: str, model: str) -> MlflowAlias:
    return MlflowAlias(tracking_url=server, model=model, alias="champion")


def alias_probe(server: str, model: str) -> HttpProbe:
    """Asks as a server does that resolves the alias at each request."""
    quoted = model.replace(" ", "%20")
    path = f"api/2.0/mlflow/registered-models/alias?name={quoted}&alias=champion"
    return HttpProbe(url=f"{server}/{path}", json_field="model_version.version")


def test_a_model_goes_back_again_and_forth(server: str, model: str, tmp_path: Path) -> None:
    plan = plan_to(adapter_of(server, model), alias_probe(server, model), to="1")

    first, again = carried_out(plan, tmp_path), carried_out(plan, tmp_path)

    assert (first.end, again.end) == (EndState.VERIFIED, EndState.ALREADY_THERE)
    assert "-description: trained in week 2\n+description: trained in week 1" in (
        first.dry_run.text
    )
    forth = plan_to(adapter_of(server, model), alias_probe(server, model), to="2")
    assert carried_out(forth, tmp_path).end is EndState.VERIFIED


def test_an_alias_that_moved_but_is_not_served_is_never_verified(
    server: str, model: str, tmp_path: Path
) -> None:
    """A server that resolved the alias when it loaded goes on with the old version."""
    loaded = Plane(tmp_path / "loaded")
    loaded.write("serving", "2")
    probe = CommandProbe(program="/bin/cat", arguments=(str(loaded.folder / "serving"),))
    plan = plan_to(adapter_of(server, model), probe, to="1", max_minutes=0.02)

    ended = carried_out(plan, tmp_path)

    assert ended.end is EndState.APPLIED_NOT_SERVING
    assert adapter_of(server, model).observe().value == "1"


def test_a_prompt_goes_back_as_its_own_client_loads_it(server: str, tmp_path: Path) -> None:
    name = "support-prompt"
    tag = {"key": "mlflow.prompt.is_prompt", "value": "true"}
    call(server, "registered-models/create", {"name": name, "tags": [tag]})
    for text in ("Be careful.\nBe short.", "Be bold.\nBe short."):
        add_prompt_version(server, name, text)
    call(server, "registered-models/alias", {"name": name, "alias": "champion", "version": "2"})
    python = cached_environment("mlflow", MLFLOW_VERSION)
    code = f"""#!{python}
import os
os.environ["HOME"] = {str(tmp_path)!r}
import mlflow
mlflow.set_tracking_uri({server!r})
print(mlflow.genai.load_prompt("prompts:/{name}@champion").template.splitlines()[0])
"""
    serving = script(tmp_path / "serving", code)
    probe = CommandProbe(program=serving, timeout_seconds=60)
    plan = plan_to(adapter_of(server, name), probe, to="1", serving="Be careful.", max_minutes=3)

    ended = carried_out(plan, tmp_path)

    assert ended.end is EndState.VERIFIED, ended.explanation
    assert "-Be bold.\n+Be careful.\n Be short." in ended.dry_run.text


def test_an_alias_that_somebody_moved_meanwhile_is_left_alone(server: str, model: str) -> None:
    adapter = adapter_of(server, model)
    expect = adapter.observe()
    add_version(server, model)
    call(server, "registered-models/alias", {"name": model, "alias": "champion", "version": "3"})

    with pytest.raises(MovedError, match="found '3'"):
        adapter.apply(expect, "1", key="k")

    assert adapter.observe().value == "3"


def test_a_version_that_is_gone_is_refused_in_the_dry_run(server: str, model: str) -> None:
    with pytest.raises(UnreadableError, match=r"must know name .* version '9'"):
        adapter_of(server, model).diff("9")


def test_an_alias_that_is_not_there_is_one_sentence(server: str, model: str) -> None:
    adapter = MlflowAlias(tracking_url=server, model=model, alias="nobody")

    with pytest.raises(UnreadableError, match="alias nobody not found"):
        adapter.observe()


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    adapter = MlflowAlias(tracking_url="http://127.0.0.1:9", model="m", alias="a")

    with pytest.raises(UnreadableError, match=r"'http://127\.0\.0\.1:9' must answer"):
        adapter.observe()
