"""What the process that measures and the one that keeps results tell each other, as JSON.

Reports of items cross process borders: what an item found travels on its own report, and which
items there are on the first report of a worker. A worker is briefed before it starts.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BRIEFING = "robustness"
"""Where xdist's ``workerinput`` holds the briefing."""
FOUND = "robustness"
SELECTED = "robustness_selection"
"""Attributes of a report."""


@dataclass(frozen=True)
class ItemRef:
    """Where an item stands, and what it is about.

    Parameters
    ----------
    nodeid : str
        Its node id.
    location : (str, int or None, str)
        File, line and test, as pytest reports them.
    benchmark, condition : str
        Key of the benchmark, and condition, it is about; empty where it is about none.
    problem : str
        Why there is no benchmark to be about.
    aggregate : str
        What it judges over all conditions of its benchmark; empty where it is about one.
    removed : bool
        Whether it was taken out of the collection, and nobody said that it is deselected.
    """

    nodeid: str
    location: tuple[str, int | None, str]
    benchmark: str = ""
    condition: str = ""
    problem: str = ""
    aggregate: str = ""
    removed: bool = False


@dataclass(frozen=True)
class Selection:
    """What a process is going to run.

    Parameters
    ----------
    refs : tuple of ItemRef
        The robustness items, in order.
    places : tuple of str
        Of the configurations whose benchmarks tests ask for, selected or not.
    """

    refs: tuple[ItemRef, ...]
    places: tuple[str, ...]

    def dumps(self) -> str:
        """Serialize."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> Selection:
        """Rebuild what `dumps` wrote."""
        plain = json.loads(text)
        refs = (ItemRef(**{**ref, "location": tuple(ref["location"])}) for ref in plain["refs"])
        return cls(tuple(refs), tuple(plain["places"]))


@dataclass(frozen=True)
class ItemMessage:
    """What one item found: plain JSON data.

    Parameters
    ----------
    benchmark, condition : str
        Key of the benchmark, and condition, that the item was about.
    header : mapping
        `Header.to_dict` of the benchmark.
    record : mapping, optional
        The condition's record; ``None`` where the data are missing.
    verdicts : list of mapping
        The condition's limits, judged.
    data_missing : str
        Why the data are missing; empty where they are not.
    key : str
        Digest of what determines the record; empty where that is not known.
    reused : bool
        Whether an earlier run has measured it.
    trouble : str
        Why what was found may be lost: a journal that cannot be written.
    remarks : list of str
        What earlier runs have left and is not taken over, and why.
    origins : str
        Which functions made the dataset and the detector.
    pictures : mapping of str to str
        Thumbnails by name, as base64.
    """

    benchmark: str
    condition: str
    header: Mapping[str, Any]
    record: Mapping[str, Any] | None
    verdicts: list[dict[str, Any]]
    data_missing: str = ""
    key: str = ""
    reused: bool = False
    trouble: str = ""
    remarks: list[str] = field(default_factory=list)
    origins: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)

    def dumps(self) -> str:
        """Serialize."""
        return json.dumps(self.__dict__, allow_nan=False)

    @classmethod
    def loads(cls, text: str) -> ItemMessage:
        """Rebuild what `dumps` wrote."""
        return cls(**json.loads(text))

    @property
    def thumbnails(self) -> dict[str, bytes]:
        """The pictures as the bytes of their files."""
        return {name: base64.b64decode(text) for name, text in self.pictures.items()}


def as_text(pictures: Mapping[str, bytes]) -> dict[str, str]:
    """Return thumbnails as a message holds them."""
    return {name: base64.b64encode(content).decode() for name, content in pictures.items()}


@dataclass(frozen=True)
class Briefing:
    """What every worker of a run is told.

    Parameters
    ----------
    run : str
        Identity of the run.
    dist : str
        How xdist distributes.
    command : str
        The command line of the run.
    yamls : mapping of str to str
        Text of every configuration by its place: a worker may run where its file is not.
    """

    run: str
    dist: str
    command: str
    yamls: Mapping[str, str]

    def dumps(self) -> str:
        """Serialize."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> Briefing:
        """Rebuild what `dumps` wrote."""
        return cls(**json.loads(text))
