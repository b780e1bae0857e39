"""From a template to a page. Autoescape is on; only charts and our own assets are markup."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from augmlx.report.text import duration, percent

_FILTERS = {"percent": percent, "duration": duration, "thousands": "{:,}".format}


def draw(template: str, context: Mapping[str, Any], *, script: bool = False) -> str:
    """A whole page as HTML. Without `script` the page runs none at all."""
    source = _asset("table.js") if script else ""
    page = _environment().get_template(template)
    text = page.render(
        **context,
        style=Markup(_asset("style.css")),
        script=Markup(source),
        policy=Markup(_script_policy(source)),
    )
    # JSON can hold half of a surrogate pair, which UTF-8 cannot.
    return text.encode("utf-8", "replace").decode("utf-8")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= _FILTERS
    return environment


def _asset(name: str) -> str:
    return resources.files("augmlx.report").joinpath(name).read_text("utf-8")


def _script_policy(source: str) -> str:
    """The page runs this one script and no other, even if something slipped through the
    escaping.
    """
    if not source:
        return "'none'"
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
