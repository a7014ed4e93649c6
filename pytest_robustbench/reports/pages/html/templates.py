"""From templates to self-contained pages: whatever is text in a report stays text."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pytest_robustbench.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES = ("jinja2", "matplotlib")
MISSING = '{} {} not installed, which pages need: pip install "pytest-robustbench[report]"'
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '{script}'; "
    "base-uri 'none'; form-action 'none'"
)


def missing_packages() -> tuple[str, ...]:
    """Return which packages of the extra ``report`` are not installed."""
    return tuple(name for name in PACKAGES if find_spec(name) is None)


def needed(missing: Sequence[str]) -> str:
    """Say what packages are not installed, and the remedy."""
    return MISSING.format(" and ".join(missing), "is" if len(missing) == 1 else "are")


def require_packages() -> None:
    """Refuse to go on without the extra ``report``.

    Raises
    ------
    ReportError
        If a package of it is not installed; the message names the remedy.
    """
    missing = missing_packages()
    if missing:
        raise ReportError(needed(missing))


def rendered(template: str, **contents: object) -> str:
    """Return a page.

    Parameters
    ----------
    template : str
        File name of a template beside this module that extends ``base.html``.
    **contents : object
        What it shows. Strings are escaped, whatever they hold.

    Raises
    ------
    ReportError
        If jinja2 is not installed: the message names the extra.
    """
    require_packages()
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = _beside("tables.js")
    page = environment.get_template(template).render(
        **contents,
        style=Markup(_beside("style.css")),
        script=Markup(script),
        policy=POLICY.format(script=_source(script)),
    )
    # Python's stand-ins for file names that are no Unicode: UTF-8 has no bytes for them.
    return page.encode("utf-8", "backslashreplace").decode("utf-8")


def _source(script: str) -> str:
    """Return what lets this script run, and no other, even where an escape were missing."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _beside(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")
