"""What a reader of the results should know about the data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_robustbench.datasets.files import unread_images
from pytest_robustbench.datasets.split import DEFECT, NORMAL
from pytest_robustbench.naming import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_robustbench.datasets.pictures.picture import Traits
    from pytest_robustbench.datasets.split import Sample, Split


def notes_on_test_part(
    test: Sequence[Sample], orphans: Sequence[str] = (), empty: Sequence[str] = ()
) -> tuple[str, ...]:
    """Say what is missing from a test part: masks, images of masks, a whole class.

    Parameters
    ----------
    test : sequence of Sample
        The test part.
    orphans : sequence of str
        Masks that belong to none of its images.
    empty : sequence of str
        Folders that should hold images and hold none.
    """
    labels = {sample.label for sample in test}
    missing = "defect" if labels == {NORMAL} else "normal"
    one_class = f"the test part has no {missing} image: metrics that need both are not defined"
    return (
        *counted("defect images without a mask", [s.id for s in test if s.mask_is_unknown]),
        *counted("masks without an image", orphans),
        *counted("folders without an image", empty),
        *([one_class] if len(labels) == 1 else []),
    )


def counted(what: str, names: Sequence[str], advice: str = "") -> tuple[str, ...]:
    """Say how many there are and which come first; nothing where there is none."""
    more = f"; {advice}" if advice else ""
    return (f"{what}: {len(names)} ({listed(names)}){more}",) if names else ()


def unread_files(
    root: Path, folders: Iterable[Path], *, recursive: bool = False
) -> tuple[str, ...]:
    """Say how many images of formats that are not read lie in `folders`, named from `root`."""
    names = [
        os.path.relpath(path, root).replace(os.sep, "/")
        for folder in folders
        for path in unread_images(folder, recursive=recursive)
    ]
    return counted("image files of a format that is not read", names, "convert them to png")


def notes_on_pictures(ids: Sequence[str], traits: Sequence[Traits]) -> tuple[str, ...]:
    """Say what the pixels of a labelled part are like, by the traits of its pictures."""

    def those(trait: Callable[[Traits], bool]) -> list[str]:
        return [name for name, one in zip(ids, traits, strict=True) if trait(one)]

    return (
        *counted("masks with several non-zero values", those(lambda t: t.graded_mask), _GRADED),
        *counted("masks that mark most of the image", those(lambda t: t.mask_share > 0.5), _MOST),
        *counted("files with several pages", those(lambda t: t.pages > 1), "the first one is read"),
        *_narrow_range(traits),
    )


_GRADED = (
    "every non-zero pixel counts as defect, so a mask resized smoothly or stored with losses marks "
    "too much"
)
_MOST = "black is background and all else defect: see whether they are inverted"


def _narrow_range(traits: Sequence[Traits]) -> tuple[str, ...]:
    """Say how much of the range of values is used, where it is less than a quarter."""
    used = max((one.brightest / one.white for one in traits), default=1.0)
    if used >= 0.25:
        return ()
    brightest, white = max(one.brightest for one in traits), max(one.white for one in traits)
    bits = next(bits for bits in (8, 10, 12, 14, 16) if brightest < 1 << bits)
    deep = white > 255 and bits < white.bit_length()
    advice = f": say bit_depth: {bits} if {(1 << bits) - 1} is white" if deep else ""
    range_text = f"the brightest value is {brightest} of {white}"
    return (f"images use {100 * used:.2g} % of their range ({range_text}){advice}",)


def notes_on_depth(parts: Mapping[str, Sequence[Traits]]) -> tuple[str, ...]:
    """Say where parts, or images of one part, differ in the bits that their values may use."""
    depths = {
        part: sorted({one.white.bit_length() for one in each}) for part, each in parts.items()
    }
    if len({bits for each in depths.values() for bits in each}) < 2:
        return ()
    told = ", ".join(
        f"{part} {' and '.join(map(str, each))} bits" for part, each in depths.items() if each
    )
    advice = "each is scaled by its own white, so that one scene may be bright here and dark there"
    return (f"images differ in their bit depth ({told}): {advice}; save all of them alike",)


def notes_on_orientation(split: Split) -> tuple[str, ...]:
    """Say how many images of each part are turned by their EXIF orientation, read from headers."""
    from pytest_robustbench.datasets.pictures.forms import UPRIGHT, orientation_in

    turned = {}
    for part in ("train", "calibration", "test"):
        files = [s.image for s in getattr(split, part) if isinstance(s.image, Path)]
        found = [orientation_in(file) for file in files]
        turned[part] = (sum(tag != UPRIGHT for tag in found), len(found))
    if not any(count for count, _ in turned.values()):
        return ()
    counts = ", ".join(f"{n} of {total} {part}" for part, (n, total) in turned.items() if total)
    advice = "what runs in production has to turn them alike"
    return (f"images turned as their EXIF orientation says: {counts} images; {advice}",)


def defects_left_out(train: Sequence[Sample]) -> tuple[str, ...]:
    """Say how many defect images a published train part has, on which nothing is fitted."""
    defects = [sample.id for sample in train if sample.label == DEFECT]
    return counted("defect images of the train part left out", defects)
