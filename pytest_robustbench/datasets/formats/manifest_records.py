"""The lines of a JSONL manifest, each one checked."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.split import DEFECT, NORMAL
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.lfs import POINTER, is_pointer_file
from pytest_robustbench.naming import name_problem, suggestion
from pytest_robustbench.plain_json import parse_json
from pytest_robustbench.regular_file import read_regular_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

FIELDS = ("image_path", "category", "split", "label", "mask_path", "group_id", "meta")

PARTS: Mapping[str, str] = MappingProxyType(
    {
        "train": "train",
        "calibration": "calibration",
        "val": "calibration",
        "validation": "calibration",
        "test": "test",
    }
)
"""What `split` may say -> part of the split."""

LABELS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("0", "normal", "good", "ok", "false"), NORMAL),
        **dict.fromkeys(("1", "anomaly", "anomalous", "abnormal", "defect"), DEFECT),
        **dict.fromkeys(("bad", "nok", "ng", "ko", "true"), DEFECT),
    }
)
"""What `label` may say, in lower case -> label of the sample."""


@dataclass(frozen=True)
class Record:
    """One image of a manifest.

    Parameters
    ----------
    where : str
        file:line.
    image_path, category : str
        As written.
    part : {"train", "calibration", "test"}, optional
        Part of the split.
    label : {0, 1}, optional
        0 for a normal image, 1 for an image with a defect.
    mask_path : str, optional
        As written.
    group : str, optional
        Names the part that is shown; from ``group_id`` or ``meta.group_id``.
    """

    where: str
    image_path: str
    category: str
    part: str | None
    label: int | None
    mask_path: str | None
    group: str | None


def read_records(manifest: Path) -> tuple[Record, ...]:
    """Read every record; blank lines and lines that start with ``#`` are skipped.

    Raises
    ------
    DatasetError
        Naming file:line, if the file cannot be read or a line is no valid record.
    """
    try:
        lines = StringIO(read_regular_text(manifest), newline=None).read().split("\n")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{manifest} cannot be read: {error}") from error
    if is_pointer_file(manifest):
        raise DatasetError(f"{manifest} {POINTER}")
    return tuple(
        _record(line, f"{manifest}:{number}")
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    )


def _record(line: str, where: str) -> Record:
    fields = _fields(line, where)
    part, label = _part(fields, where), _label(fields, where)
    if part == "test" and label is None:
        raise DatasetError(f"{where}: a test image needs a label: 0 (normal) or 1 (defect)")
    if part in ("train", "calibration") and label == DEFECT:
        raise DatasetError(f"{where}: {part} holds only normal images, but label says defect")
    return Record(
        where=where,
        image_path=_required(fields, "image_path", where),
        category=_category(fields, where),
        part=part,
        label=label,
        mask_path=_text(fields, "mask_path", where),
        group=_group(fields, where),
    )


def _fields(line: str, where: str) -> dict[str, Any]:
    try:
        fields = parse_json(line.encode())
    except ValueError as error:
        raise DatasetError(f"{where}: not one line of JSON: {error}") from error
    if not isinstance(fields, dict):
        raise DatasetError(f"{where}: expected an object with {', '.join(FIELDS)}")
    for key in fields:
        if key not in FIELDS:
            hint = suggestion(key, FIELDS)
            raise DatasetError(
                f"{where}: there is no field {key!r}; {hint} (what else is known goes into meta)"
            )
    return fields


def _text(fields: Mapping[str, Any], key: str, where: str) -> str | None:
    value = fields.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a table that knows only floats writes 1 as 1.0
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)  # categories and groups are often numbers
    if value is not None and not isinstance(value, str):
        raise DatasetError(f"{where}: {key} is a text, not {value!r}")
    return (value or "").strip() or None


def _required(fields: Mapping[str, Any], key: str, where: str) -> str:
    value = _text(fields, key, where)
    if value is None:
        raise DatasetError(f"{where}: {key!r} is missing or empty")
    return value


def _category(fields: Mapping[str, Any], where: str) -> str:
    name = _required(fields, "category", where)
    problem = name_problem(name)
    if problem:
        raise DatasetError(f"{where}: category is a name, not a path: {name!r} ({problem})")
    return name


def _part(fields: Mapping[str, Any], where: str) -> str | None:
    written = _text(fields, "split", where)
    if written is None:
        return None
    if written.lower() not in PARTS:
        raise DatasetError(
            f"{where}: there is no split {written!r}; {suggestion(written.lower(), PARTS)}"
        )
    return PARTS[written.lower()]


def _label(fields: Mapping[str, Any], where: str) -> int | None:
    written = fields.get("label")
    if written is None:
        return None
    if isinstance(written, float) and written in (NORMAL, DEFECT):
        written = int(written)
    word = str(written).strip().lower()
    if not isinstance(written, (str, int)) or word not in LABELS:
        raise DatasetError(f"{where}: label is 0 (normal) or 1 (defect), not {written!r}")
    return LABELS[word]


def _group(fields: Mapping[str, Any], where: str) -> str | None:
    meta = fields.get("meta")
    if meta is not None and not isinstance(meta, dict):
        raise DatasetError(f"{where}: meta is an object, not {meta!r}")
    own, beside = _text(fields, "group_id", where), _text(meta or {}, "group_id", where)
    if own and beside and own != beside:
        raise DatasetError(
            f"{where}: group_id is {own!r}, but meta.group_id is {beside!r}; keep one"
        )
    return own or beside
