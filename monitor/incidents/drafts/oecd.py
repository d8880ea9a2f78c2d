"""An incident in the criteria of the OECD: a mapping of fields, not an essay."""

from dataclasses import dataclass
from typing import Final

from monitor.incidents.drafts.fields import Field, Fields
from monitor.incidents.records import Record

__all__ = ["CRITERIA", "Criterion", "oecd_record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One of the 29 criteria.

    Parameters
    ----------
    number, title
        As the OECD has them.
    fields
        What it is filled from.
    mandatory
        Whether a report must hold it.
    human
        Whether only persons can fill it.
    """

    number: int
    title: str
    fields: tuple[str, ...]
    mandatory: bool = False
    human: bool = False


def _criterion(number: int, title: str, *fields: str, mandatory: bool = False) -> Criterion:
    return Criterion(
        number=number,
        title=title,
        fields=fields,
        mandatory=mandatory,
        human=number in _HUMAN_ONLY,
    )


_HUMAN_ONLY: Final = frozenset({3, 10, 11, 12, 13, 15, 16, 21})

CRITERIA: Final = (
    _criterion(1, "title", "title", mandatory=True),
    _criterion(2, "description", "what_happened_plainly", "what_happened", mandatory=True),
    _criterion(3, "how AI relates to it", "ai_relation", mandatory=True),
    _criterion(4, "submitter", "provider", mandatory=True),
    _criterion(5, "first known date", "onset"),
    _criterion(6, "countries", "countries"),
    _criterion(7, "supporting material", "evidence", "evidence_kept", mandatory=True),
    _criterion(8, "name and version of the system", "system", "versions"),
    _criterion(9, "developer and deployer", "developer_deployer"),
    _criterion(10, "severity", "oecd_severity", mandatory=True),
    _criterion(11, "type of harm", "harm_type", mandatory=True),
    _criterion(12, "harm in figures", "harm_quantified", "n_harmed"),
    _criterion(13, "unintended or wrongful use", "intent"),
    _criterion(14, "stakeholders", "exposed", "worse_off"),
    _criterion(15, "impacts on rights", "rights_impacts"),
    _criterion(16, "principles for AI", "ai_principles"),
    _criterion(17, "industry", "industry"),
    _criterion(18, "business function", "business_function"),
    _criterion(19, "critical function", "critical_function"),
    _criterion(20, "breadth of deployment", "slices", "exposed"),
    _criterion(21, "link to training data", "training_data_link"),
    _criterion(22, "link to the model", "versions"),
    _criterion(23, "usage rights", "usage_rights"),
    _criterion(24, "several systems interacting", "interaction"),
    _criterion(25, "task", "task"),
    _criterion(26, "autonomy", "autonomy"),
    _criterion(27, "actions taken", "measures"),
    _criterion(28, "steps to reproduce", "evidence"),
    _criterion(29, "other", "other"),
)
"""The common reporting framework for AI incidents.

References
----------
.. [1] OECD, Towards a common reporting framework for AI incidents, 2025.
"""


def oecd_record(fields: Fields) -> Record:
    """Return the 29 criteria with what is known of each, and which mandatory ones are missing.

    A severity tier is never converted into the OECD's words: a person chooses them.

    Parameters
    ----------
    fields
        Every field.
    """
    criteria = [_filled(each, fields) for each in CRITERIA]
    missing = [each["number"] for each in criteria if each["mandatory"] and not each["values"]]
    return {
        "framework": "OECD common reporting framework for AI incidents, 29 criteria",
        "mandatory_missing": missing,
        "criteria": criteria,
    }


def _filled(criterion: Criterion, fields: Fields) -> Record:
    known = [fields[name] for name in criterion.fields if not fields[name].is_unknown]
    return {
        "number": criterion.number,
        "title": criterion.title,
        "mandatory": criterion.mandatory,
        "human_only": criterion.human,
        "values": [_value(each) for each in known],
    }


def _value(field: Field) -> Record:
    value: Record = {
        "field": field.name,
        "state": field.state.value,
        "text": field.text or field.reason,
        "refs": list(field.refs),
    }
    if field.low:
        value |= {"low": field.low, "high": field.high, "method": field.method}
    return value
