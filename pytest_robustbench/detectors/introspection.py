"""What can be told of objects that were written for other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.display import displayed

if TYPE_CHECKING:
    from collections.abc import Callable


def has_method(obj: object, method: str) -> bool:
    """Return whether `obj` can be asked for `method`."""
    return callable(getattr(obj, method, None))


def comes_from(obj: object, package: str, base: str | None = None) -> bool:
    """Return whether the class of `obj` has a base class (called `base`) of that package.

    Nothing is imported for it: an object of a package exists only where the package is loaded.
    """
    for each in type(obj).__mro__:
        if each.__module__.partition(".")[0] == package and base in (None, each.__name__):
            return True
    return False


def import_path(obj: Any) -> str:
    """Return ``package.module.name`` of a function, or of the class of another object."""
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    return f"{named.__module__}.{named.__qualname__}"


def plain_attributes(obj: object) -> dict[str, Any]:
    """Return public attributes of plain type that were given, not learned (``name_``)."""
    return {
        key: value
        for key, value in vars(obj).items()
        if not key.startswith("_") and not key.endswith("_") and is_plain(value)
    }


def is_plain(value: object) -> bool:
    """Return whether a report can hold `value` as it is."""
    if isinstance(value, (list, tuple)):
        return all(is_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


def synchronizer(obj: object) -> Callable[[], None] | None:
    """Return what waits for the object's device, where it offers that."""
    own: Callable[[], None] | None = getattr(obj, "synchronize", None)
    return own if callable(own) else None


def one_line(error: BaseException) -> str:
    """Return the error's type and text without line breaks."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def first_line(error: BaseException) -> str:
    """Return the beginning of the error's text: some texts go on for pages."""
    return displayed((str(error).strip().splitlines() or [""])[0])[:200]
