"""Configuration of the documentation site."""

import os
import re

import keras_pruning as kp

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
SCORES = [score.__name__ for score in kp.scores.SCORES.values()]

project = "keras_pruning"
author = "the keras_pruning authors"
version = release = kp.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "myst_parser"]
exclude_patterns = ["llms.txt"]
# Language models look for this file at the root of the site.
html_extra_path = ["llms.txt"]

html_theme = "furo"
html_title = "keras_pruning"
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["site.css"]

myst_heading_anchors = 3
# The blocks of commands have no language that Pygments colours.
highlight_language = "text"

# Docstrings write code in single backticks, as Keras does.
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Formula", "Reference", ("Class attributes", "params_style")]
napoleon_use_admonition_for_examples = False
napoleon_use_rtype = False


def literal_formulas(app, what, name, obj, options, lines):
    """Turns each section `Formula:` of a docstring into a literal block, in place."""
    starts = [number for number, line in enumerate(lines) if line == "Formula:"]
    for start in reversed(starts):
        end = start + 1
        while end < len(lines) and (not lines[end] or lines[end].startswith(" ")):
            end += 1
        lines[start:end] = [".. rubric:: Formula", "", "::", "", *lines[start + 1 : end], ""]


def hide_colon(app, what, name, obj, options, lines):
    """Hides the colons of a property's first line, which napoleon takes for the end of a type."""
    if what == "property" and lines:
        lines[0] = lines[0].replace(":", "\0")


def show_colon(app, what, name, obj, options, lines):
    """Undoes `hide_colon`."""
    lines[:] = [line.replace("\0", ":") for line in lines]


def link_papers(app, what, name, obj, options, lines):
    """Turns arXiv numbers of a docstring into links, in place."""
    link = r"`arXiv \1 <https://arxiv.org/abs/\1>`__"
    lines[:] = re.sub(r"arXiv\s+(\d{4}\.\d{5})", link, "\n".join(lines)).split("\n")


def list_scores(app, docname, source):
    """Replaces the line `SCORES` of a page by one entry for each registered score."""
    entries = [f".. autoclass:: keras_pruning.scores.{name}" for name in SCORES]
    source[0] = source[0].replace("\nSCORES\n", "\n" + "\n\n".join(entries) + "\n")


def setup(app):
    # The priority of napoleon is 500.
    app.connect("autodoc-process-docstring", literal_formulas, priority=400)
    app.connect("autodoc-process-docstring", link_papers, priority=400)
    app.connect("autodoc-process-docstring", hide_colon, priority=400)
    app.connect("autodoc-process-docstring", show_colon, priority=600)
    app.connect("source-read", list_scores)
