"""Dataset formats, one row each; reading this table imports neither numpy nor OpenCV.

A format is a module with its loader, and perhaps what recognises its folders, and a row here. The
sections of robustness.yaml, their JSON Schema and complaints, `load_split`, the recognition of
folders and the command line all work from the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_robustbench.conditions import RESPONSES
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.importing import import_object

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Kind:
    """What an option takes.

    Parameters
    ----------
    words : str
        For messages.
    types : tuple of type
        What a call in Python may pass.
    least, most : int, optional
        Smallest and largest number that may be declared.
    choices : tuple
        The only values that may be declared; any by default.
    is_pattern : bool
        Whether a text has to be a regular expression.
    """

    words: str
    types: tuple[type, ...]
    least: int | None = None
    most: int | None = None
    choices: tuple[int | str, ...] = ()
    is_pattern: bool = False

    def accepts(self, value: object) -> bool:
        """Return whether `value` is of one of the types, and of the choices."""
        # A bool is an int to Python, but nobody means a number by it.
        known = isinstance(value, self.types) and (
            not isinstance(value, bool) or bool in self.types
        )
        if self.is_pattern and not is_regular_expression(value):
            return False
        return known and (not self.choices or value in self.choices)


def is_regular_expression(value: object) -> bool:
    """Return whether a value is a text that can be searched for."""
    try:
        return isinstance(value, str) and bool(re.compile(value))
    except re.error:
        return False


TEXT = Kind("a text", (str,))
PATH = Kind("a text or a path", (str, PathLike))
TRUTH = Kind("true or false", (bool,))
SHARE = Kind("a number", (Real,))
"""Strictly between 0 and 1."""
COUNT = Kind("an integer", (Integral,), least=1)
COUNT_OR_NONE = Kind("an integer", (Integral,), least=0)
DRAWN_IMAGES = Kind("an integer", (Integral,), least=0, most=100_000)
SIDE = Kind("an integer", (Integral,), least=1, most=32767)
"""Of an image, pixels: what OpenCV can warp."""
PATTERN = Kind("a regular expression", (str,), is_pattern=True)
RESPONSE_KIND = Kind(" or ".join(RESPONSES), (str,), choices=RESPONSES)
BITS = Kind("8, 10, 12, 14 or 16", (Integral,), choices=(8, 10, 12, 14, 16))


@dataclass(frozen=True)
class Option:
    """One option of a format: a keyword argument of its loader, and a key of the YAML.

    Parameters
    ----------
    name : str
        The same in every format that has it.
    kind : Kind
        What it takes.
    optional : bool
        Whether a call in Python may pass ``None`` for it.
    """

    name: str
    kind: Kind
    optional: bool = True


BIT_DEPTH = Option("bit_depth", BITS)
GROUP = Option("group", PATTERN)
RESPONSE = Option("response", RESPONSE_KIND)
OF_EVERY_FORMAT = (BIT_DEPTH, GROUP, RESPONSE)
"""`load_split` gives these to the samples, whichever loader lists them."""

ROOT = Option("root", PATH)
CATEGORY = Option("category", TEXT)
MASK_SUFFIX = Option("mask_suffix", TEXT)
TEST_FRACTION = Option("test_fraction", SHARE)
SEED = Option("seed", COUNT_OR_NONE, optional=False)

A_ROOT = ("root", "the folder that holds the categories")
"""What most formats cannot do without, and what it is."""


@dataclass(frozen=True)
class Format:
    """One format.

    Parameters
    ----------
    name : str
        How the YAML calls it.
    loader : str
        Import path of the function that lists the images. Its keyword arguments are `root`, a path
        or ``None``, `category` and the options; see `loading.load_split`.
    options : tuple of Option
        Beside `root`, `category` and `resize`.
    aliases : tuple of str
        Further names.
    recogniser : str, optional
        Import path of the function that tells the format by its marks; see
        `formats.recognition.recognised_format`.
    required : (str, str), optional
        The option that a declaration cannot do without, and its meaning.
    has_root : bool
        Whether the images lie below a folder `root`; otherwise no declaration names one.
    many_folders : bool
        Whether its options name folders one by one, so that no single path says where the images
        are; its category is only a name for reports then.
    train_options : tuple of str
        Options that make sense only where something is trained on.
    may_calibrate : bool
        Whether a folder of it may bring calibration images of its own.
    read_as : str, optional
        The format that reads its folders as well, without what is special about them.
    """

    name: str
    loader: str
    options: tuple[Option, ...] = ()
    aliases: tuple[str, ...] = ()
    recogniser: str | None = None
    required: tuple[str, str] | None = A_ROOT
    has_root: bool = True
    many_folders: bool = False
    train_options: tuple[str, ...] = ()
    may_calibrate: bool = False
    read_as: str | None = None

    @property
    def arguments(self) -> Mapping[str, Option]:
        """The options that the loader takes, by name: what all formats have is not its business."""
        return {option.name: option for option in (ROOT, CATEGORY, *self.options)}

    @property
    def declared(self) -> Mapping[str, Option]:
        """The options that `load_split` takes beside `resize`, by name."""
        return {**self.arguments, **{option.name: option for option in OF_EVERY_FORMAT}}

    @property
    def keys(self) -> tuple[str, ...]:
        """What a section of the YAML may declare beside the format."""
        root = ("root",) if self.has_root else ()
        options = (option.name for option in (*OF_EVERY_FORMAT, *self.options))
        return (*root, "category", "resize", *options)


def by_name(*rows: Format) -> Mapping[str, Format]:
    """Return rows by the names of their formats.

    Raises
    ------
    ValueError
        If two formats share a name, or declare an option of the same name differently.
    """
    names = Counter(name for row in rows for name in (row.name, *row.aliases))
    options = Counter(one.name for one in {one for row in rows for one in row.declared.values()})
    for what, counts in (("name", names), ("option", options)):
        twice = next((name for name, count in counts.items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"datasets/catalogue.py: two formats declare the {what} {twice!r}")
    return MappingProxyType({row.name: row for row in rows})


def _layout(name: str, *options: Option, **facts: Any) -> Format:
    """Return the row of a layout on disk, whose module is called like the format."""
    module = f"pytest_robustbench.datasets.formats.{name}"
    return Format(name, f"{module}:load_{name}", options, recogniser=f"{module}:recognise", **facts)


FORMATS = by_name(
    # In the order in which they are asked whether they know a folder: what is special goes before
    # what is general.
    _layout("kolektor", TEST_FRACTION, SEED, required=("root", "the folder of the data set")),
    _layout("visa", Option("split_csv", TEXT)),
    _layout("btad"),
    _layout(
        "mvtec_ad2",
        Option("test_part", TEXT, optional=False),
        may_calibrate=True,
        read_as="mvtec",
    ),
    _layout("mvtec_loco", may_calibrate=True, read_as="mvtec"),
    _layout("mvtec_3d", may_calibrate=True),
    _layout("mvtec", MASK_SUFFIX, aliases=("mvtec_ad",), may_calibrate=True),
    _layout(
        "manifest",
        Option("manifest", PATH),
        Option("allow_outside_root", TRUTH, optional=False),
        TEST_FRACTION,
        SEED,
        required=("manifest", "the JSONL file that lists the images"),
        may_calibrate=True,
    ),
    _layout(
        "folder",
        Option("normal_dir", PATH),
        Option("test_dir", PATH),
        Option("abnormal_dir", PATH),
        Option("mask_dir", PATH),
        MASK_SUFFIX,
        TEST_FRACTION,
        SEED,
        required=None,
        many_folders=True,
        train_options=("normal_dir", "test_fraction"),
    ),
    Format(
        "synthetic",
        "pytest_robustbench.datasets.synthetic.load:load_synthetic",
        (
            Option("n_train", DRAWN_IMAGES, optional=False),
            Option("n_test_good", DRAWN_IMAGES, optional=False),
            Option("n_defect", DRAWN_IMAGES, optional=False),
            Option("size", SIDE, optional=False),
            SEED,
        ),
        required=None,
        has_root=False,
    ),
)
"""The rows by name."""

NAMES = tuple(name for row in FORMATS.values() for name in (row.name, *row.aliases))
"""Every name of a format, aliases included."""

OPTIONS: Mapping[str, Option] = MappingProxyType(
    {option.name: option for row in FORMATS.values() for option in row.declared.values()}
)
"""Every option by name; in each format that has it, it is the same."""


def format_named(name: str) -> Format | None:
    """Return the row of a format, by its name or an alias; ``None`` where there is none."""
    return next((row for row in FORMATS.values() if name in (row.name, *row.aliases)), None)


def part_of(row: Format, path: str) -> Any:
    """Return the function that a row names.

    Raises
    ------
    DatasetError
        Naming the format, if there is none: the row stands there without it.
    """
    try:
        return import_object(path)
    except (ImportError, AttributeError, ValueError) as error:
        raise DatasetError(
            f"the {row.name} format cannot be used: its row in datasets/catalogue.py names "
            f"{path!r}: {error}"
        ) from error
