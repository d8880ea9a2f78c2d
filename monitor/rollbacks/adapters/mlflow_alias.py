"""An alias in MLflow's registry, of a model or of a prompt, over its REST interface."""

import base64
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import annotated_types as at

from monitor.rollbacks.adapter import Applied, Diff, Observed, rollback_adapter
from monitor.rollbacks.errors import (
    MovedError,
    NotAppliedError,
    OutcomeUnknownError,
    UnreadableError,
)
from monitor.rollbacks.http_calls import Answer, check_url, read_url, send
from monitor.rollbacks.values import check_absolute, check_reference, read_secret

__all__ = ["MlflowAlias"]

_ALIAS = "/api/2.0/mlflow/registered-models/alias"
_VERSION = "/api/2.0/mlflow/model-versions/get"
_PROMPT_TEXT = "mlflow.prompt.text"


@rollback_adapter
@dataclass(frozen=True, slots=True, kw_only=True)
class MlflowAlias:
    """Moves an alias of a registered model, or of a prompt, to another version.

    MLflow offers no compare-and-set: the alias is read again right before it is written, and
    whoever moves it between the two is overwritten. Servers resolve an alias when they load a
    model, and clients keep prompts for a minute: give the plan a probe and `cache_seconds`.

    Parameters
    ----------
    tracking_url
        Where the tracking server is, for example ``http://mlflow:5000``.
    model
        The name of the registered model, or of the prompt.
    alias
        The alias that is served, for example ``champion``.
    username
        The user of a server with passwords; empty: the secret is a bearer token.
    secret_file
        A file with the password or token; empty: the server asks for none.
    timeout_seconds
        How long one call may take.
    """

    name: ClassVar[str] = "mlflow_alias"
    tracking_url: str
    model: Annotated[str, at.MinLen(1)]
    alias: Annotated[str, at.MinLen(1)]
    username: str = ""
    secret_file: str = ""
    timeout_seconds: Annotated[float, at.Gt(0), at.Le(60)] = 10.0

    def __post_init__(self) -> None:
        """Refuse an address or a file that cannot be right.

        Raises
        ------
        ValueError
            If one of them is wrong.
        """
        check_url(self.tracking_url, "tracking_url")
        check_reference(self.alias, "alias")
        if self.secret_file:
            check_absolute(self.secret_file, "secret_file")

    def observe(self) -> Observed:
        """Return the version that the alias names."""
        version = self._read(_ALIAS, {"name": self.model, "alias": self.alias})
        number = str(version.get("version", ""))
        if not number:
            message = f"the alias {self.alias!r} of {self.model!r} must name a version"
            raise UnreadableError(message)
        detail = {"version": number, "source": version.get("source"), "run": version.get("run_id")}
        return Observed(value=number, reference=number, revision=number, detail=detail)

    def diff(self, to: str) -> Diff:
        """Return which version the alias would name instead, and how the two differ."""
        check_reference(to)
        now = self.observe().value
        before, after = self._version(now), self._version(to)
        lines = [f"MLflow {self.model!r}, alias {self.alias!r}: version {now} -> {to}"]
        lines += difflib.unified_diff(
            _described(before), _described(after), f"version {now}", f"version {to}", lineterm=""
        )
        return Diff(from_value=now, to_value=to, text="\n".join(lines))

    def apply(self, expect: Observed, to: str, *, key: str) -> Applied:  # noqa: ARG002 - the protocol has it
        """Move the alias, unless it was moved since; the same move twice does no harm."""
        check_reference(to)
        found = self.observe().revision
        if found != expect.revision:
            message = (
                f"the alias {self.alias!r} of {self.model!r} must still name version "
                f"{expect.revision!r}, found {found!r}; look at the change and plan anew"
            )
            raise MovedError(message)
        headers, secrets = self._credentials()
        answer = send(
            self._url(_ALIAS),
            json.dumps({"name": self.model, "alias": self.alias, "version": to}).encode(),
            headers={"Content-Type": "application/json", **headers},
            timeout_seconds=self.timeout_seconds,
            secrets=secrets,
        )
        self._check_sent(answer)
        return Applied(revision=to, detail={"status": answer.status})

    def _check_sent(self, answer: Answer) -> None:
        if answer.ok:
            return
        message = f"MLflow must set the alias {self.alias!r}, got {answer.in_words()}"
        if answer.refused:
            raise NotAppliedError(message)
        raise OutcomeUnknownError(message)

    def _version(self, number: str) -> Mapping[str, Any]:
        return self._read(_VERSION, {"name": self.model, "version": number})

    def _read(self, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        headers, secrets = self._credentials()
        answer = read_url(
            self._url(path),
            params=params,
            headers=headers,
            timeout_seconds=self.timeout_seconds,
            secrets=secrets,
        )
        if not answer.ok:
            asked = ", ".join(f"{name} {value!r}" for name, value in params.items())
            message = f"MLflow must know {asked}, got {answer.in_words()}"
            raise UnreadableError(message)
        version = answer.record().get("model_version")
        if not isinstance(version, dict):
            message = f"MLflow must answer with a 'model_version', got {answer.in_words()}"
            raise UnreadableError(message)
        return version

    def _url(self, path: str) -> str:
        return self.tracking_url.rstrip("/") + path

    def _credentials(self) -> tuple[dict[str, str], tuple[str, ...]]:
        if not self.secret_file:
            return {}, ()
        secret = read_secret(self.secret_file)
        if not self.username:
            return {"Authorization": f"Bearer {secret}"}, (secret,)
        pair = base64.b64encode(f"{self.username}:{secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}, (secret, pair)


def _described(version: Mapping[str, Any]) -> list[str]:
    """Return what tells one version from another, a line each."""
    tags = {
        str(tag.get("key")): str(tag.get("value", ""))
        for tag in version.get("tags", [])
        if isinstance(tag, dict)
    }
    lines = [
        f"{option}: {version[option]}"
        for option in ("status", "source", "run_id", "description")
        if version.get(option)
    ]
    lines += [
        f"tag {name}: {value}" for name, value in sorted(tags.items()) if name != _PROMPT_TEXT
    ]
    return lines + tags.get(_PROMPT_TEXT, "").splitlines()
