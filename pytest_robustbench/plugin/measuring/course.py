"""The course of a run in the process that measures."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from pytest_robustbench.folder_imports import imports_from
from pytest_robustbench.plugin.declared import DECLARED, declared_of
from pytest_robustbench.plugin.items import item_ref
from pytest_robustbench.plugin.messages import FOUND
from pytest_robustbench.plugin.terminal.progress import PROGRESS
from pytest_robustbench.plugin.workers.run_context import context_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager

    from pytest_robustbench.plugin.measuring.measurements import Measurements
    from pytest_robustbench.plugin.messages import ItemMessage, ItemRef

MAKERS = ("robustness_dataset", "robustness_detector")
MEASUREMENTS: pytest.StashKey[Measurements] = pytest.StashKey()


def measurements_of(config: pytest.Config) -> Measurements:
    """Return what this process has measured so far."""
    if MEASUREMENTS not in config.stash:
        from pytest_robustbench.plugin.measuring.measurements import Measurements

        config.stash[MEASUREMENTS] = Measurements(
            declared_of(config), context_of(config), config.stash[PROGRESS]
        )
    return config.stash[MEASUREMENTS]


def note_reruns(config: pytest.Config, items: Iterable[tuple[pytest.Item, ItemRef]]) -> None:
    """Remember what measures a condition of a benchmark again."""
    from pytest_robustbench.plugin.measuring.reruns import rerun_of_benchmark

    measurements = measurements_of(config)
    reruns, command = measurements.reruns, measurements.context.command
    for item, ref in items:
        if ref.condition and ref.benchmark not in reruns:
            reruns[ref.benchmark] = rerun_of_benchmark(item, ref, command)


def imports_of(item: pytest.Item) -> AbstractContextManager[None]:
    """Return what lets imports start at the folder of the YAML, for an item of ours."""
    ref = item_ref(item)
    if ref is None or not ref.benchmark:
        return nullcontext()
    return imports_from(declared_of(item.config).folder_of(ref.benchmark))


def note_override(
    config: pytest.Config, fixturedef: pytest.FixtureDef[Any], result: object
) -> None:
    """Remember which function made a dataset or detector, ours or a conftest's."""
    if fixturedef.argname in MAKERS and DECLARED in config.stash:
        measurements_of(config).note_origin(result, fixturedef.func)


def attach_message(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put what an item found on the report of its call, or of the set-up that kept it from one."""
    ref = item_ref(item)
    is_last_word = report.when == "call" or (report.when == "setup" and not report.passed)
    if not (is_last_word and ref and ref.benchmark and ref.condition):
        return
    message = _message_on(ref, measurements_of(item.config))
    if message is not None:
        setattr(report, FOUND, message.dumps())


def _message_on(ref: ItemRef, measurements: Measurements) -> ItemMessage | None:
    """Return what is known about an item's condition; ``None`` where nothing was found out."""
    from pytest_robustbench.gates.judgement import not_measurable
    from pytest_robustbench.plugin.messages import ItemMessage, as_text
    from pytest_robustbench.reports.file.fields import error_record
    from pytest_robustbench.reports.file.report import verdict_to_dict

    name = ref.benchmark
    outcome = measurements.outcome(name, ref.condition)
    error, missing = measurements.errors.get(name), measurements.data_missing.get(name, "")
    record: Mapping[str, Any] | None
    if outcome is not None:
        record, verdicts = outcome.record, outcome.verdicts
    elif error or missing:
        limits = measurements.declared.benchmark(name).limits.get(ref.condition, ())
        record = error_record(error) if error else None
        verdicts = not_measurable(ref.condition, limits, error or missing)
    else:
        return None
    return ItemMessage(
        benchmark=name,
        condition=ref.condition,
        header=measurements.header(name).to_dict(),
        record=record,
        verdicts=[verdict_to_dict(v) for v in verdicts],
        data_missing=missing,
        key=outcome.key if outcome else "",
        reused=bool(outcome and outcome.reused),
        trouble=measurements.runner(name).journal_error,
        remarks=list(measurements.runner(name).remarks),
        origins=measurements.origins_of(name),
        pictures=as_text(outcome.pictures) if outcome else {},
    )
