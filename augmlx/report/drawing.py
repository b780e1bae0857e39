"""From a template to a page. Autoescape is on; only charts and our own assets are markup."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from augmlx.report import findings
from augmlx.report.text import duration


def _asset(name: str) -> str:
    return resources.files("augmlx.report").joinpath(name).read_text("utf-8")


def draw(template: str, context: Mapping[str, Any], *, script: bool = False) -> str:
    """A whole page as HTML. Without `script` the page runs none at all."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": findings.percent,
        "duration": duration,
        "thousands": "{:,}".format,
    }
    source = _asset("table.js") if script else ""
    # The page runs this one script and no other, even if something slipped through the escaping.
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    page = environment.get_template(template).render(
        **context,
        style=Markup(_asset("style.css")),
        script=Markup(source),
        policy=Markup(f"'sha256-{digest}'" if script else "'none'"),
    )
    # JSON can hold half of a surrogate pair, which UTF-8 cannot.
    return page.encode("utf-8", "replace").decode("utf-8")
