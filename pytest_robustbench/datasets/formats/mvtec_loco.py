"""The folder layout of MVTec LOCO AD.

::

    <category>/train/good/000.png
    <category>/validation/good/000.png
    <category>/test/good/000.png
    <category>/test/logical_anomalies/000.png
    <category>/test/structural_anomalies/000.png
    <category>/ground_truth/logical_anomalies/000/000.png    one mask for each region
    <category>/defects_config.json

A pixel value in a mask names an entry of ``defects_config.json``, which says when the region is
saturated. Saturation belongs to the metric sPRO (Bergmann et al., Beyond Dents and Scratches, 2022)
and is not applied here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.catalogue import COUNT, SHARE, TEXT, TRUTH
from pytest_robustbench.datasets.files import image_files
from pytest_robustbench.datasets.formats.recognition import by_mark
from pytest_robustbench.datasets.formats.trees import TreeLayout, category_folder, read_tree
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.plain_json import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_robustbench.arrays import Mask
    from pytest_robustbench.datasets.catalogue import Kind
    from pytest_robustbench.datasets.formats.recognition import Recognised
    from pytest_robustbench.datasets.split import Sample, Split

CONFIG = "defects_config.json"
ANOMALIES = ("logical_anomalies", "structural_anomalies")

LAYOUT = TreeLayout("mvtec_loco", types=("good", *ANOMALIES))

_SATURATION = (
    "every pixel of a marked region counts: the saturation of MVTec LOCO (metric sPRO) is not "
    "applied"
)
_ENTRY: Mapping[str, Kind] = MappingProxyType(
    {
        "defect_name": TEXT,
        "pixel_value": COUNT,
        "saturation_threshold": SHARE,
        "relative_saturation": TRUTH,
    }
)


@dataclass(frozen=True)
class ConfiguredMask:
    """A mask whose pixel values must stand in ``defects_config.json``.

    A value that does not is the trace of a mask that was resized smoothly or stored with losses:
    its regions have grown, and nobody can tell by how much.

    Parameters
    ----------
    path : Path
        Mask file, or folder of mask files.
    values : frozenset of int
        The values that the file lists.
    """

    path: Path
    values: frozenset[int]

    def __call__(self) -> Mask:
        """Return the union of the regions, bool ``(H, W)``."""
        from pytest_robustbench.datasets.pictures.mask_pixels import united

        if not self.path.is_dir():
            return self._checked(self.path)
        return united([self._checked(file.path) for file in image_files(self.path)], self.path)

    def _checked(self, file: Path) -> Mask:
        import numpy as np

        from pytest_robustbench.datasets.pictures.decoding import decode_file
        from pytest_robustbench.datasets.pictures.mask_pixels import marked

        mask = decode_file(file)
        unlisted = sorted(set(np.unique(mask.pixels).tolist()) - self.values - {0})
        if unlisted:
            raise DatasetError(
                f"mask {file} holds the pixel value {unlisted[0]}, which {CONFIG} does not list; "
                f"it was resized or stored with losses: export it again, or remove {CONFIG} if "
                "its values mean nothing"
            )
        try:
            return marked(mask).pixels
        except DatasetError as error:
            raise DatasetError(f"mask {file} {error}") from error


def load_mvtec_loco(
    *,
    root: Path,
    category: str | None = None,
) -> Split:
    """Read one category.

    Parameters and errors are those of `read_tree`; it is an error, too, if ``defects_config.json``
    is malformed.
    """
    split = read_tree(LAYOUT, root, category)
    config = category_folder(root, category) / CONFIG
    notes = (*split.notes, _SATURATION)
    if not config.exists():
        return replace(split, notes=notes)
    values = _pixel_values(config)
    return replace(split, test=tuple(_configured(s, values) for s in split.test), notes=notes)


def recognise(root: Path, category: str | None) -> Recognised | None:
    """Recognise LOCO by its configuration, or its types of anomalies."""
    return by_mark("mvtec_loco", _is_category, root, category)


def _is_category(folder: Path) -> bool:
    return (folder / CONFIG).is_file() or any((folder / "test" / a).is_dir() for a in ANOMALIES)


def _configured(sample: Sample, values: frozenset[int]) -> Sample:
    if not isinstance(sample.mask, Path):
        return sample
    return replace(sample, mask=ConfiguredMask(sample.mask, values))


def _pixel_values(config: Path) -> frozenset[int]:
    try:
        entries = read_json(config)
    except ValueError as error:
        raise DatasetError(f"{config} cannot be read as JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise DatasetError(f"{config}: expected a list of defects, with {', '.join(_ENTRY)} each")
    return frozenset(_pixel_value(entry, f"{config}, entry {i}") for i, entry in enumerate(entries))


def _pixel_value(entry: object, where: str) -> int:
    if not isinstance(entry, dict):
        raise DatasetError(f"{where}: expected an object with {', '.join(_ENTRY)}, not {entry!r}")
    for key, kind in _ENTRY.items():
        if not kind.accepts(entry.get(key)):
            raise DatasetError(f"{where}: {key} is {kind.words}, not {entry.get(key)!r}")
    number: int = entry["pixel_value"]
    if not 1 <= number <= 255:
        raise DatasetError(f"{where}: pixel_value lies between 1 and 255, not {number}")
    return number
