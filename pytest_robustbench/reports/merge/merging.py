"""Parts of one benchmark, measured by several processes or machines, put together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_robustbench.conditions import condition_of
from pytest_robustbench.detectors.sources import changed_files
from pytest_robustbench.errors import ReportError
from pytest_robustbench.naming import listed
from pytest_robustbench.reports.file.model import Digests, Environment, Header
from pytest_robustbench.reports.file.record_model import Memory
from pytest_robustbench.reports.merge.differences import ABSENT, both, differences_between, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Plain = Mapping[str, Any]
    DifferencesOf = Callable[[Header, Header], Iterator[str]]

TIMINGS = ("latency_ms_per_image", "latency", "memory")
"""What differs between two measurements of the same thing."""
SHARD = "--robustness-shard"
"""The one option that makes a run less than what was declared, and that merging undoes."""
TEXTS = ("pytest_robustbench", "python", "platform", "cpu", "device")
NOT_THE_SAME = "run every part from the same commit, with the same YAML, profile and data"
NOT_THE_SAME_THRESHOLDS = (
    "the detector is not deterministic, or the machines are not alike: run every part with the "
    "same versions, or give the thresholds (operating_point in the YAML)"
)
WORKERS = ("what one worker has found", "what another has found")
LEAVE_ONE_OUT = "leave one of them out, or measure again"


@dataclass(frozen=True)
class Part:
    """What one process measured of a benchmark.

    Parameters
    ----------
    source : str
        Where it comes from, for messages: a file.
    header : Header
        What is said once.
    records : mapping of condition id to record
        The conditions it tried: what was measured, or ``{"error": message}``.
    narrowed : tuple of str
        Options that made the run less than what was declared.
    remarks : tuple of str
        What a reader of the whole has to know about the source.
    """

    source: str
    header: Header
    records: Mapping[str, Mapping[str, Any]]
    narrowed: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def merge_parts(
    parts: Iterable[Part], *, command: str
) -> tuple[Header, dict[str, Mapping[str, Any]]]:
    """Put the parts of one benchmark together; their order does not matter.

    Parameters
    ----------
    parts : iterable of Part
        At least one. A condition may stand in several of them if they agree in everything but
        timings; the slower one has the word then, and a note says so.
    command : str
        Command line that merges, for the header.

    Returns
    -------
    Header
        That of the parts: started with the earliest, with a note where their machines differ.
    dict of str to mapping
        Every condition that a part tried.

    Raises
    ------
    ReportError
        Naming both sources and what differs, if the parts are not of one and the same benchmark, or
        contradict each other; or if an option made one of them less than a shard.
    """
    ordered = sorted(parts, key=lambda part: (part.header.started, part.source))
    if not ordered:
        raise ReportError("there is nothing to merge: name at least one part")
    for part in ordered:
        _check_whole_shard(part)
    _check_same_benchmark(ordered)
    _check_specifications(ordered)
    return _header(ordered, command), _records(ordered)


def refuse_contradictions(
    first: tuple[Plain, Mapping[str, Plain]], second: tuple[Plain, Mapping[str, Plain]]
) -> None:
    """Refuse what two workers of one run tell, if they do not speak of the same thing.

    Parameters
    ----------
    first, second : (mapping, mapping)
        Header as plain JSON, and records by condition.

    Raises
    ------
    ReportError
        Saying what differs.
    """
    parts = [
        Part(source, Header.from_dict(header), records)
        for source, (header, records) in zip(WORKERS, (first, second), strict=True)
    ]
    _check_same_benchmark(parts)
    for condition in parts[0].records.keys() & parts[1].records.keys():
        _check_agreement(condition, *parts)


def _check_whole_shard(part: Part) -> None:
    options = [option for option in part.narrowed if not option.startswith(SHARD)]
    if options:
        raise ReportError(
            f"{part.source} cannot be merged: the run was narrowed by {', '.join(options)}; "
            "measure its conditions without"
        )


def _check_same_benchmark(parts: Sequence[Part]) -> None:
    _check_pairs(parts, _declared_differences)
    _check_pairs([part for part in parts if part.header.is_prepared], _measured_differences)


def _check_pairs(parts: Sequence[Part], differences_of: DifferencesOf) -> None:
    """Hold every part against the first; what equals the same is equal."""
    for other in parts[1:]:
        for found in differences_of(parts[0].header, other.header):
            _refuse(parts[0], other, found)


def _refuse(first: Part, second: Part, found: str) -> NoReturn:
    raise ReportError(f"{_named(first, second)} cannot be merged: {found}")


def _named(*parts: Part) -> str:
    return " and ".join(dict.fromkeys(part.source for part in parts))


def _declared_differences(first: Header, second: Header) -> Iterator[str]:
    """Say where parts were not asked for the same."""
    if first.name != second.name:
        yield f"benchmark: {both(first.name, second.name)}"
    if first.profile != second.profile:
        yield f"profile: {both(first.profile, second.profile)}; {NOT_THE_SAME}"
    if first.sha256.config != second.sha256.config:
        found = differences_between(first.config, second.config) or "another digest"
        yield f"configuration: {found}; {NOT_THE_SAME}"


def _measured_differences(first: Header, second: Header) -> Iterator[str]:
    """Say where parts did not measure the same, though they were asked to."""
    for key in ("dataset", "category", "model"):
        if getattr(first, key) != getattr(second, key):
            yield f"{key}: {both(getattr(first, key), getattr(second, key))}; {NOT_THE_SAME}"
    if first.sha256.model != second.sha256.model:
        found = differences_between(first.detector, second.detector) or "another digest"
        yield f"detector: {found}; {NOT_THE_SAME}"
    for kind in ("code", "files"):
        changed = changed_files(*(getattr(header.sources, kind) for header in (first, second)))
        if changed:
            yield f"{kind} of the detector: other content of {listed(changed)}; {NOT_THE_SAME}"
    if first.samples != second.samples:
        found = differences_between(*map(_by_image, (first, second))) or "their order"
        yield f"test images: {found}; {NOT_THE_SAME}"
    commits = [header.environment.git_commit for header in (first, second)]
    if None not in commits and commits[0] != commits[1]:
        yield f"git commit: {both(*commits)}; {NOT_THE_SAME}"
    found = differences_between(*(_thresholds(header) for header in (first, second)))
    if found:
        yield f"operating point: {found}; {NOT_THE_SAME_THRESHOLDS}"


def _by_image(header: Header) -> dict[str, dict[str, Any]]:
    columns = header.samples.to_dict() if header.samples else {"id": []}
    ids = columns.pop("id")
    return {name: dict(zip(ids, column, strict=True)) for name, column in columns.items()}


def _thresholds(header: Header) -> dict[str, Any]:
    point = header.operating_point
    return {
        key: getattr(point, key, None) for key in ("pixel_threshold", "image_threshold", "digest")
    }


def _check_specifications(parts: Sequence[Part]) -> None:
    """Refuse one name for two corruptions: every severity of it is specified alike."""
    known: dict[str, tuple[Part, Plain]] = {}
    for part in parts:
        for condition, record in part.records.items():
            if "error" in record or not condition_of(condition).is_corrupted:
                continue
            name = condition_of(condition).corruption
            first, specification = known.setdefault(name, (part, record["specification"]))
            found = differences_between(specification, record["specification"])
            if found:
                _refuse(first, part, f"corruption {name}: {found}; {NOT_THE_SAME}")


def _records(parts: Sequence[Part]) -> dict[str, Mapping[str, Any]]:
    owners: dict[str, Part] = {}
    for part in parts:
        for condition in part.records:
            owner = owners.setdefault(condition, part)
            _check_agreement(condition, owner, part)
            owners[condition] = max(owner, part, key=lambda each: _slowness(each, condition))
    return {condition: owner.records[condition] for condition, owner in owners.items()}


def _slowness(part: Part, condition: str) -> float:
    """Return a part's latency: of two that agree in all else the slower counts, never the lucky."""
    latency = part.records[condition].get("latency_ms_per_image")
    return -1.0 if latency is None else float(latency)


def _check_agreement(condition: str, first: Part, second: Part) -> None:
    """Refuse two measurements of one condition that differ in more than timings.

    Raises
    ------
    ReportError
        Naming both sources and what differs.
    """
    records = first.records[condition], second.records[condition]
    n_errors = sum("error" in record for record in records)
    if n_errors == 1:
        found = _one_error(condition, first, second)
    else:
        found = differences_between(*map(_untimed, records))
    if found:
        raise ReportError(
            f"{_named(first, second)} disagree on {condition}: {found}; {LEAVE_ONE_OUT}"
        )


def _one_error(condition: str, first: Part, second: Part) -> str:
    """Say that a condition was measured in one part only: that does not make the other wrong."""
    failed, measured = (first, second) if "error" in first.records[condition] else (second, first)
    reason = failed.records[condition]["error"]
    return f"{measured.source} measured it, in {failed.source} it could not be measured ({reason})"


def _untimed(record: Plain) -> dict[str, Any]:
    kept = {key: value for key, value in record.items() if key not in TIMINGS}
    if "undefined" in kept:
        reasons = kept["undefined"].items()
        kept["undefined"] = {k: v for k, v in reasons if not k.startswith("latency")}
    return kept


def _overlap_notes(parts: Sequence[Part]) -> Iterator[str]:
    counts = Counter(condition for part in parts for condition in part.records)
    latencies = {c: {_slowness(p, c) for p in parts if c in p.records} for c in counts}
    several = [c for c in counts if len(latencies[c]) > 1]
    if several:
        yield f"measured in several parts, the slower latency counts: {listed(several)}"


def _header(parts: Sequence[Part], command: str) -> Header:
    prepared = [part for part in parts if part.header.is_prepared]
    first = (prepared or parts)[0].header
    headers = [part.header for part in parts]
    notes = dict.fromkeys(note for header in headers for note in header.notes)
    notes |= dict.fromkeys(remark for part in parts for remark in part.remarks)
    models = {part.header.sha256.fitted for part in prepared}
    model = models.pop() if len(models) == 1 else None
    return first.changed(
        sha256=Digests.from_dict({**first.sha256.to_dict(), "fitted": model}),
        started=min(header.started for header in headers),
        command=command,
        environment=_joined([header.environment.to_dict() for header in headers]),
        memory=_largest([header.memory.to_dict() for header in headers]),
        notes=[*notes, *_environment_notes(parts), *_overlap_notes(parts)],
    )


def _largest(memories: Sequence[Mapping[str, int | None]]) -> Memory:
    """Return the peaks over all parts."""
    peaks = {name: [v for m in memories if (v := m[name]) is not None] for name in memories[0]}
    return Memory.from_dict({name: max(found, default=None) for name, found in peaks.items()})


def _joined(environments: Sequence[Plain]) -> Environment:
    """Return one environment, in which what differs is no longer that of a single machine.

    A latency is otherwise held against a baseline of the first machine, which measured only some
    of the conditions.
    """
    packages = [environment["packages"] for environment in environments]
    versions = {
        name: _text([found.get(name, "not installed") for found in packages])
        for name in sorted(_keys(packages))
    }
    values = {k: [environment[k] for environment in environments] for k in environments[0]}
    joined = {key: _joined_value(key, found) for key, found in values.items()}
    return Environment.from_dict({**joined, "packages": versions})


def _keys(mappings: Iterable[Plain]) -> dict[str, None]:
    return dict.fromkeys(key for mapping in mappings for key in mapping)


def _joined_value(key: str, values: Sequence[Any]) -> Any:
    if all(value == values[0] for value in values):
        return values[0]
    return _text(values) if key in TEXTS else None


def _text(values: Sequence[Any]) -> str:
    return "; ".join(sorted({str(value) for value in values}))


def _environment_notes(parts: Sequence[Part]) -> Iterator[str]:
    flat = {part.source: _flat(part.header.environment.to_dict()) for part in parts}
    for key in _keys(flat.values()):
        sources: dict[str, list[str]] = {}
        for source, environment in flat.items():
            sources.setdefault(shown(environment.get(key, ABSENT)), []).append(source)
        if len(sources) > 1:
            told = "; ".join(f"{value} in {listed(named)}" for value, named in sources.items())
            yield f"the parts were measured in different environments: {key}: {told}"


def _flat(environment: Plain) -> dict[str, Any]:
    rest = {key: value for key, value in environment.items() if key != "packages"}
    return {**rest, **environment["packages"]}
