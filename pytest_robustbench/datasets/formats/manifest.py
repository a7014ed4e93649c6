"""A JSONL manifest: one image a line, with what is known about it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import is_clutter, nfc, required_root
from pytest_robustbench.datasets.formats.groups import DEFAULT_FRACTION, drawn_groups
from pytest_robustbench.datasets.formats.listed_paths import (
    check_listed_once,
    listed_path,
    name_in_root,
)
from pytest_robustbench.datasets.formats.manifest_records import read_records
from pytest_robustbench.datasets.formats.recognition import Recognised
from pytest_robustbench.datasets.notes import notes_on_test_part
from pytest_robustbench.datasets.split import DEFECT, NORMAL, Sample, Split
from pytest_robustbench.errors import DatasetError, MissingDataError
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from pytest_robustbench.datasets.formats.manifest_records import Record

SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Root:
    """Where the paths of a manifest start, and whether they may leave it."""

    folder: Path
    allow_outside: bool

    def path(self, written: str, where: str) -> Path:
        """Return the file that a record names."""
        return listed_path(self.folder, written, where, allow_outside=self.allow_outside)

    def name(self, written: str) -> str:
        """Return the sample id of that file."""
        return name_in_root(self.folder, written)


def load_manifest(
    *,
    root: Path | None = None,
    category: str | None = None,
    manifest: str | os.PathLike[str] | None = None,
    allow_outside_root: bool = False,
    test_fraction: float | None = None,
    seed: int = 0,
) -> Split:
    """Read one category.

    Parameters
    ----------
    root : Path, optional
        Folder that the paths in the manifest start at, its own folder by default. Or the manifest.
    category : str, optional
        Which records to use; may be left out if all are of one category.
    manifest : path-like, optional
        The file; a relative path starts at `root` where that is given. The only ``*.jsonl`` in
        `root` by default.
    allow_outside_root : bool
        Whether paths may leave the root by being absolute, by ``..`` or by a link.
    test_fraction : float, optional
        Share of the normal images without `split` that is tested on, 0.2 by default. Whole groups
        are drawn; a group with a defect image is tested on.
    seed : int
        Seed of that draw.

    Raises
    ------
    MissingDataError
        If the root or the manifest does not exist.
    DatasetError
        Naming file:line, if a record is malformed, names a file that does not exist or lies outside
        the root, or puts a group or an image into two parts.
    """
    file, folder = _places(root, manifest)
    records = read_records(file)
    name = _category(records, category, file)
    own = [record for record in records if record.category == name]
    place = Root(folder, allow_outside_root)
    check_listed_once((r.where, r.image_path, place.path(r.image_path, r.where)) for r in own)
    parts = _parts(own, DEFAULT_FRACTION if test_fraction is None else test_fraction, seed)
    samples = {
        part: tuple(_sample(record, place) for record in chosen) for part, chosen in parts.items()
    }
    return Split(
        dataset="manifest",
        category=nfc(name),
        train=samples["train"],
        test=samples["test"],
        calibration=samples["calibration"],
        root=str(folder),
        notes=(*notes_on_test_part(samples["test"]), *_unlabelled(own)),
    )


def recognise(root: Path, category: str | None) -> Recognised | None:  # noqa: ARG001
    """Recognise a manifest, or a folder with exactly one."""
    file = root if root.is_file() else _only_manifest(root)
    if file is None or file.suffix.lower() != SUFFIX:
        return None
    try:
        categories = sorted({record.category for record in read_records(file)})
    except DatasetError:
        return None
    options = {} if file == root else {"manifest": file.name}
    return Recognised("manifest", options, tuple(categories)) if categories else None


def _only_manifest(folder: Path) -> Path | None:
    """Return the manifest in `folder`, if there is exactly one."""
    found = [path for path in folder.glob(f"*{SUFFIX}") if not is_clutter(path.name)]
    return found[0] if len(found) == 1 else None


def _places(root: Path | None, manifest: str | os.PathLike[str] | None) -> tuple[Path, Path]:
    """Return the manifest, and the folder its paths start at."""
    if manifest is not None:
        file = (Path() if root is None else required_root(root)) / Path(manifest).expanduser()
        if not file.exists():
            raise MissingDataError(f"manifest: {file} does not exist")
        return file, root or file.parent
    if root is None:
        raise DatasetError("the manifest format needs `manifest`: a file with one image a line")
    if root.is_file():
        return root, root.parent
    only = _only_manifest(required_root(root))
    if only is None:
        raise DatasetError(
            f"say which `manifest` to read: {root} holds no *{SUFFIX}, or more than one"
        )
    return only, root


def _category(records: Sequence[Record], category: str | None, file: Path) -> str:
    names = sorted({record.category for record in records})
    if not names:
        raise DatasetError(f"{file} lists no image")
    if category is None and len(names) == 1:
        return names[0]
    if category is None:
        raise DatasetError(f"{file} lists several categories: name one of {', '.join(names)}")
    if category not in names:
        raise DatasetError(f"{file} lists no image of {category!r}; {suggestion(category, names)}")
    return category


def _parts(records: Sequence[Record], fraction: float, seed: int) -> dict[str, list[Record]]:
    groups: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[_group(record)].append(record)
    decided = {name: _decided(members) for name, members in groups.items()}
    # Where nothing says which part, normal images may be drawn, if something says they are normal.
    candidates = [
        name
        for name, members in groups.items()
        if decided[name] is None and all(record.label == NORMAL for record in members)
        for _ in members
    ]
    drawn = drawn_groups(candidates, fraction, seed)
    parts: dict[str, list[Record]] = {"train": [], "calibration": [], "test": []}
    for record in records:
        name = _group(record)
        parts[decided[name] or ("test" if name in drawn else "train")].append(record)
    _check_labels(parts["test"])
    return parts


def _group(record: Record) -> str:
    # A record without a group is one of its own, under a name that no group can have.
    return f"group {record.group}" if record.group else f"image {record.where}"


def _decided(group: Sequence[Record]) -> str | None:
    """Return the part that records of one group say, or that their defects demand."""
    said = {record.part: record for record in reversed(group) if record.part is not None}
    if len(said) > 1:
        places = " and ".join(f"in {part} ({said[part].where})" for part in sorted(said))
        raise DatasetError(
            f"group_id {group[0].group!r} stands {places}; a group belongs into one part"
        )
    defect = next((record for record in group if record.label == DEFECT), None)
    part = next(iter(said), None)
    if defect is not None and part in ("train", "calibration"):
        raise DatasetError(
            f"{defect.where}: a defect image of group_id {defect.group!r}, which stands in {part} "
            f"({said[part].where}); {part} holds only normal images"
        )
    return "test" if defect is not None else part


def _check_labels(test: Sequence[Record]) -> None:
    for record in test:
        if record.label is None:
            raise DatasetError(
                f"{record.where}: its group {record.group!r} belongs to the test part, where every "
                "image needs a label: 0 (normal) or 1 (defect)"
            )


def _sample(record: Record, root: Root) -> Sample:
    defect = record.label == DEFECT
    mask = record.mask_path
    return Sample(
        id=root.name(record.image_path),
        label=DEFECT if defect else NORMAL,
        image=root.path(record.image_path, record.where),
        mask=None if mask is None else root.path(mask, record.where),
        defect_type="defect" if defect else "good",
        group=record.group,
    )


def _unlabelled(records: Sequence[Record]) -> tuple[str, ...]:
    count = sum(record.part is None and record.label is None for record in records)
    if not count:
        return ()
    return (f"images with neither split nor label, trained on as normal: {count}",)
