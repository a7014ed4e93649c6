"""What a report says once: data, detector, operating point, configuration, environment."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Header:
    """Plain JSON throughout; what could not be found out is ``None``.

    Parameters
    ----------
    name, dataset, category, model : str
        The benchmark, its data and its detector.
    started : str
        ISO 8601, UTC.
    command : str
        Command line that ran it.
    rerun : str, optional
        Command that measures one condition again, where `command` was called: ``{condition}``
        stands for its id. ``None`` where no item of pytest has measured it.
    operating_point : mapping, optional
        `OperatingPoint.to_dict`; ``None`` where none could be derived.
    config : mapping
        The effective configuration.
    detector : mapping
        The detector's own description.
    sha256 : mapping
        Digests of configuration, data set and detector description.
    environment : mapping
        Versions, machine, commit.
    samples : mapping, optional
        Columns over the test samples.
    memory : mapping
        Peak memory while fitting and calibrating.
    profile : str, optional
        Profile of the YAML that was run.
    notes : tuple of str
        What a reader has to know.
    """

    name: str
    dataset: str
    category: str
    model: str
    started: str
    command: str
    rerun: str | None = None
    operating_point: Mapping[str, Any] | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    detector: Mapping[str, Any] = field(default_factory=dict)
    sha256: Mapping[str, str | None] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    samples: Mapping[str, Any] | None = None
    memory: Mapping[str, int | None] = field(default_factory=dict)
    profile: str | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def pixel_threshold_strategy(self) -> str | None:
        """How the pixel threshold was found, in the guide's words."""
        if self.operating_point is None:
            return None
        given = self.operating_point["method"] == "given"
        return "given" if given else "normal_pixel_quantile"

    @property
    def pixel_normal_quantile(self) -> float | None:
        """The quantile behind the pixel threshold."""
        if self.operating_point is None:
            return None
        quantile: float | None = self.operating_point["pixel_normal_quantile"]
        return quantile

    def to_dict(self) -> dict[str, Any]:
        """Return the header as plain JSON."""
        # Standard JSON has no infinity: such a setting is recorded as the word.
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)), parse_constant=str)
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Header:
        """Rebuild what `to_dict` wrote."""
        return cls(**{**plain, "notes": tuple(plain["notes"])})


def sha256_of(plain: Any) -> str:
    """Return the SHA-256 of plain JSON data, independent of the order of keys."""
    text = json.dumps(plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
