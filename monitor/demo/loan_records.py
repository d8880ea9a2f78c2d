"""Loan applications as lines of moe/1 JSON."""

import json
from collections.abc import Iterator
from itertools import product

import numpy as np

from monitor.demo.loan_scorer import (
    AGE_BANDS,
    CHANNELS,
    ETHNIC_GROUPS,
    PRODUCTS,
    REGIONS,
    SEXES,
    LoanEvents,
)
from monitor.demo.scenario import LOAN_SCORER
from monitor.demo.traffic import timestamps

__all__ = ["loan_lines"]

_HEAD = '{"schema":"moe/1","event_type":"output","env":"demo","model":' + json.dumps(
    {"provider": "in-house", "name": LOAN_SCORER, "version": "4.2.0", "task": "classification"},
    separators=(",", ":"),
)


def loan_lines(events: LoanEvents) -> Iterator[str]:
    """Yield each application as one line of JSON, in order, newline included."""
    members = zip(
        timestamps(events.time_us),
        _context(events),
        _output(events),
        events.latency_ms.tolist(),
        _labels(events),
        strict=True,
    )
    for number, (stamp, context, output, latency, label) in enumerate(members):
        yield (
            f'{_HEAD},"event_id":"loan-{number:07d}","ts":"{stamp}",'
            f'"subject":{{"id":"applicant-{number:07d}"}},'
            f'{context},{output},"latency_ms":{latency}{label}}}\n'
        )


def _context(events: LoanEvents) -> list[str]:
    """Return the members app, groups and strata of each record.

    There are few combinations, so each is written once and looked up.
    """
    sets = (SEXES, ETHNIC_GROUPS, AGE_BANDS, REGIONS, CHANNELS, PRODUCTS)
    codes = (
        events.sex,
        events.ethnic_group,
        events.age_band,
        events.region,
        events.channel,
        events.product,
    )
    fragments = [
        f'"app":{{"name":"loan-desk","policy_version":"cp-11","region":"{region}",'
        f'"channel":"{channel}"}},"groups":{{"sex":"{sex}","ethnic_group":"{ethnic_group}",'
        f'"age_band":"{age_band}"}},"groups_source":"self","strata":{{"product":"{kind}"}}'
        for sex, ethnic_group, age_band, region, channel, kind in product(*sets)
    ]
    positions = np.ravel_multi_index(codes, tuple(len(values) for values in sets))
    return [fragments[position] for position in positions.tolist()]


def _output(events: LoanEvents) -> list[str]:
    """Return the member output of each record."""
    labels = ('"declined","positive":false', '"approved","positive":true')
    columns = (
        events.approved.tolist(),
        events.score.tolist(),
        events.income.tolist(),
        events.debt_ratio.tolist(),
        events.credit_years.tolist(),
        events.amount.tolist(),
    )
    return [
        f'"output":{{"label":{labels[approved]},"score":{score},"threshold":0.5,'
        f'"features":{{"income":{income},"debt_ratio":{debt},"credit_years":{years},'
        f'"amount":{amount}}}}}'
        for approved, score, income, debt, years, amount in zip(*columns, strict=True)
    ]


def _labels(events: LoanEvents) -> list[str]:
    """Return the member label of each record, empty where there is no label yet."""
    return [
        "" if label < 0 else f',"label":{{"y_true":{label},"label_ts":"{stamp}","source":"human"}}'
        for label, stamp in zip(events.label.tolist(), timestamps(events.label_us), strict=True)
    ]
