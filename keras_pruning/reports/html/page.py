"""Writes pages: one HTML file that holds its style, scripts and data and fetches nothing."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from keras_pruning.reports.html.charts import configured
from keras_pruning.reports.terminal_text import defused
from keras_pruning.storage import new_file

_ROOM = "keras_pruning.reports.html"
# Libraries in the order in which they need each other, each with its licence.
_CHART_LIBRARIES = ("vega", "vega-lite", "vega-embed")
# The macro of charts writes it. Text from data cannot: its quotes are escaped.
_CHART_MARK = '<script type="application/json" class="spec">'
# The policy allows no connection, and no script other than those with these hashes.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; script-src {}"
)


@dataclass(frozen=True)
class Section:
    """One section of a page.

    Args:
        title: heading, which the navigation shows too.
        template: name of the file in `templates/` with its content.
        context: dictionary of the variables of the template.
        id: anchor of the section, unique on the page.
        script: name of a file in `templates/` with a script that the section needs, or `None`.
        style: name of a file in `templates/` with rules that the section needs, or `None`.
    """

    title: str
    template: str
    context: dict = field(repr=False)
    id: str
    script: str | None = None
    style: str | None = None


def write_page(path, title, sections, summary="", overwrite=False):
    """Writes a page, one self-contained HTML file.

    Text in the contexts is escaped, and characters that steer the text around them are shown as
    escapes. The chart libraries are in the page only if a section has a chart.

    Args:
        path: path of the file.
        title: title of the page.
        sections: list of `Section`.
        summary: sentence below the title.
        overwrite: boolean, whether to replace an existing file.

    Raises:
        AlreadyExists: if the path exists and `overwrite` is false.
        InputError: if the file cannot be written.
    """
    text = page_text(title, sections, summary)
    with new_file(path, overwrite) as partial:
        # Unpaired surrogates are defused in text. Those of a template would be an error.
        partial.write_text(text, encoding="utf-8", newline="\n")


def page_text(title, sections, summary=""):
    """Returns the HTML of a page. The arguments are those of `write_page`."""
    templates = environment()
    bodies = [
        Markup(templates.get_template(section.template).render(section.context))
        for section in sections
    ]
    # Libraries come first: the other scripts use them
    has_chart = any(_CHART_MARK in body for body in bodies)
    scripts = [_library(name) for name in _CHART_LIBRARIES] if has_chart else []
    scripts += [_file(name) for name in ["charts.js"] * has_chart + _used(sections, "script")]
    hashes = " ".join(map(_hash, scripts)) or "'none'"
    return templates.get_template("page.html.j2").render(
        title=title,
        summary=summary,
        sections=list(zip(sections, bodies, strict=True)),
        policy=_POLICY.format(hashes),
        styles=[Markup(_file(name)) for name in ["page.css", *_used(sections, "style")]],
        scripts=[Markup(script) for script in scripts],
    )


def environment():
    """Returns the Jinja environment of the pages."""
    templates = Environment(
        loader=PackageLoader("keras_pruning.reports.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["json"] = script_json
    templates.filters["configured"] = configured
    return templates


def script_json(value):
    """Returns a value as JSON for a `<script>` element, which its texts cannot end.

    Args:
        value: dictionary, list, text, number or boolean. NaN is an error, since JSON has none.
    """
    text = json.dumps(_defused_texts(value), allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _finalized(value):
    """Returns the value of an expression of a template, texts without steering characters."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "\n".join(map(defused, value.split("\n")))
    return value


def _defused_texts(value):
    if isinstance(value, str):
        return defused(value)
    if isinstance(value, dict):
        return {defused(key): _defused_texts(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_defused_texts(entry) for entry in value]
    return value


def _used(sections, kind):
    """Returns the names of the scripts or styles of sections, without repetitions."""
    names = [getattr(section, kind) for section in sections]
    return list(dict.fromkeys(name for name in names if name is not None))


def _file(name, folder="templates"):
    return (files(_ROOM) / folder / name).read_text(encoding="utf-8")


def _library(name):
    """Returns a vendored library behind its licence, without the address of its source map."""
    source = re.sub(r"\n//# sourceMappingURL=.*", "", _file(f"{name}.min.js", "vendor"))
    return f"/*! {name}\n{_file(f'{name}.LICENSE', 'vendor')}*/\n{source}"


def _hash(script):
    """Returns the source expression of a script for the Content-Security-Policy."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
