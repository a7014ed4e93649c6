"""From templates to self-contained pages: whatever is text in a report stays text."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pytest_robustbench.display import displayed_lines

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '{script}'; "
    "base-uri 'none'; form-action 'none'"
)


def rendered(template: str, **contents: object) -> str:
    """Return a page.

    Parameters
    ----------
    template : str
        File name of a template beside this module that extends ``base.html``.
    **contents : object
        What it shows. Strings are escaped, whatever they hold.
    """
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = _beside("tables.js")
    return environment.get_template(template).render(
        **contents,
        style=Markup(_beside("style.css")),
        script=Markup(script),
        policy=POLICY.format(script=_source(script)),
    )


def _shown(value: object) -> object:
    """Spell out what cannot be seen; configuration and descriptions have lines of their own."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return displayed_lines(value) if is_text else value


def _source(script: str) -> str:
    """Return what lets this script run, and no other, even where an escape were missing."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _beside(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")
