"""Ask a serving endpoint which release answers: a header, or a field of its JSON answer."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import annotated_types as at

from monitor.rollbacks.adapter import serving_probe
from monitor.rollbacks.errors import UnreadableError
from monitor.rollbacks.http_calls import check_url, read_url
from monitor.rollbacks.values import check_absolute, read_secret

__all__ = ["HttpProbe"]


@serving_probe
@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe:
    """Calls the serving path, over a new connection each time, and reads who answered.

    Parameters
    ----------
    url
        The address that users' requests reach, not one of the registry.
    header
        The header that names the release.
    json_field
        The field of the JSON answer that names it, its parts joined by full stops; a number
        picks from a list. One of the two must be given.
    body
        A JSON document to POST; empty: the call is a GET.
    token_file
        A file with a bearer token; empty: none.
    timeout_seconds
        How long one call may take.
    """

    name: ClassVar[str] = "http"
    url: str
    header: str = ""
    json_field: str = ""
    body: str = ""
    token_file: str = ""
    timeout_seconds: Annotated[float, at.Gt(0), at.Le(60)] = 5.0

    def __post_init__(self) -> None:
        """Refuse a probe that cannot read anything.

        Raises
        ------
        ValueError
            If an option is wrong, or not exactly one of header and json_field is given.
        """
        check_url(self.url, "url")
        if bool(self.header) == bool(self.json_field):
            message = "a probe must read either a header or a json_field; give one of the two"
            raise ValueError(message)
        if self.token_file:
            check_absolute(self.token_file, "token_file")
        if self.body:
            try:
                json.loads(self.body)
            except ValueError as error:
                message = f"body must be JSON: {error}"
                raise ValueError(message) from error

    def read(self) -> str:
        """Return the header or field of one answer."""
        token = read_secret(self.token_file)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if self.body:
            headers["Content-Type"] = "application/json"
        answer = read_url(
            self.url,
            body=self.body.encode() if self.body else None,
            headers=headers,
            timeout_seconds=self.timeout_seconds,
            secrets=(token,),
        )
        if not answer.ok:
            message = f"the serving path must answer, got {answer.in_words()}"
            raise UnreadableError(message)
        if self.json_field:
            return self._field(answer.record())
        if self.header.lower() not in answer.headers:
            message = f"the serving path must send the header {self.header!r}, it did not"
            raise UnreadableError(message)
        return answer.headers[self.header.lower()]

    def _field(self, found: Any) -> str:  # noqa: ANN401 - JSON holds anything
        for part in self.json_field.split("."):
            if isinstance(found, list) and part.isdecimal() and int(part) < len(found):
                found = found[int(part)]
            elif isinstance(found, dict) and part in found:
                found = found[part]
            else:
                message = f"the answer must have the field {self.json_field!r}, it has not"
                raise UnreadableError(message)
        if not isinstance(found, str | int) or isinstance(found, bool):
            message = f"the field {self.json_field!r} must be text or a whole number"
            raise UnreadableError(message)
        return str(found)
