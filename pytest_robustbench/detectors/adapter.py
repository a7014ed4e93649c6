"""What every detector has in common that wraps an object of another package, or a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_robustbench.detectors.introspection import has_method, synchronizer
from pytest_robustbench.errors import DetectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_robustbench.arrays import Image


@dataclass(frozen=True, eq=False)
class Adapter:
    """An object that learns by its own ``fit``, and without one has learned already.

    Parameters
    ----------
    wrapped : object
        The object.
    name : str
        How messages call the detector.
    """

    wrapped: Any
    name: str

    def fit(self, images: Sequence[Image]) -> None:
        """Fit the object.

        Raises
        ------
        DetectorError
            If it has no ``fit``.
        """
        if not has_method(self.wrapped, "fit"):
            raise unfittable(self.name)
        self.wrapped.fit(self._inputs(images))

    def _inputs(self, images: Sequence[Image]) -> Any:
        """Return images as the object takes them."""
        return list(images)

    @property
    def synchronize(self) -> Callable[[], None] | None:
        """What waits for the object's device, where it offers that."""
        return synchronizer(self.wrapped)


def unfittable(name: str) -> DetectorError:
    """Return the error of a detector that is fitted by nature."""
    return DetectorError(f"detector {name!r} cannot be fitted here: declare fitted: true")
