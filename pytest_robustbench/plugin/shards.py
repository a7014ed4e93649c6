"""Which conditions a CI job measures, when several share a run."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_robustbench.config.declarations import BenchmarkDeclaration


@dataclass(frozen=True)
class Shard:
    """One part of a run.

    Parameters
    ----------
    number, total : int
        The second of five is ``Shard(2, 5)``.
    """

    number: int
    total: int

    @classmethod
    def parse(cls, text: str) -> Shard | None:
        """Return the shard that ``2/5`` means; ``None`` where it means none."""
        found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text.strip())
        number, total = map(int, found.groups()) if found else (0, 0)
        return cls(number, total) if 1 <= number <= total else None

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.number}/{self.total}"

    def conditions(self, declarations: Iterable[BenchmarkDeclaration]) -> set[tuple[str, str]]:
        """Return the keys of benchmarks and the names of conditions that are this shard's.

        They are dealt out in the order of their hashes: what is selected, its order and the
        machine play no part, and no shard has more than one condition more than another.

        Raises
        ------
        ConfigError
            If there are more shards than conditions: one of them would measure nothing.
        """
        names = [(d.key, c.id) for d in declarations for c in d.declared_conditions]
        if self.total > len(names):
            raise ConfigError(
                f"--robustness-shard {self} would leave shards without anything to measure: "
                f"{len(names)} conditions are declared"
            )
        return set(sorted(names, key=_hash)[self.number - 1 :: self.total])


def _hash(names: tuple[str, str]) -> bytes:
    return hashlib.blake2b("\n".join(names).encode(), digest_size=16).digest()
