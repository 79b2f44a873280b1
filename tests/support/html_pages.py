"""Reads the HTML pages of reports as a browser would, and shows them to a browser."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

CHROMIUM = shutil.which("chromium")
# Text as the name of a class, an id or a method could have it.
HOSTILE = "<script>alert(1)</script></style>\"'&<!--{{ 7*7 }}\u202edesrever\u2028\x00\x1b[2J"
_VOID = {"meta", "link", "img", "br", "input", "hr", "col", "source"}


class ReadPage(HTMLParser):
    """The elements of a page.

    Attributes:
        elements: list of pairs of a tag and the dictionary of its attributes.
        scripts: list of the texts of the scripts that a browser runs.
        data: list of the texts of the other scripts.
        text: text outside scripts and styles.
        ids: list of the ids.
    """

    def __init__(self, html):
        super().__init__()
        self.elements, self.scripts, self.data, self.ids, self.text = [], [], [], [], ""
        self._open = []
        self.feed(html)
        self.close()
        assert self._open == [], f"not closed: {self._open}"

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag == "script":
            (self.data if "type" in attributes else self.scripts).append("")
            self._is_data = "type" in attributes
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open and self._open[-1] == tag, f"</{tag}> in {self._open}"
        self._open.pop()

    def handle_data(self, text):
        if self._open[-1:] == ["script"]:
            (self.data if self._is_data else self.scripts)[-1] += text
        elif self._open[-1:] != ["style"]:
            self.text += text

    def named(self, tag):
        """Returns the attributes of all elements of a tag."""
        return [attributes for name, attributes in self.elements if name == tag]


def require_sound(html):
    """Checks that a page is well formed, fetches nothing and runs scripts of the package only.

    Returns:
        `ReadPage`.
    """
    page = ReadPage(html)
    assert len(page.ids) == len(set(page.ids))
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert tag not in ("iframe", "object", "embed", "link", "base")
        for name in ("src", "srcset", "href", "action", "xlink:href", "background"):
            address = attributes.get(name, "")
            assert not re.match(r"\s*(https?:|//|javascript:)", address, re.IGNORECASE), address
    targets = [link["href"][1:] for link in page.named("a") if link["href"].startswith("#")]
    assert set(targets) <= set(page.ids)
    assert "alert(1)" not in "".join(page.scripts)
    # Each chart has its table
    charts = [figure for figure in page.named("figure") if figure.get("class") == "chart"]
    assert html.count("<summary>Numbers of this chart</summary>") == len(charts)
    assert [character for character in page.text if character in "\x00\x1b\u202e\u2028"] == []
    return page


def after_scripts(path, folder):
    """Returns the HTML of a page after its scripts ran in Chromium, and the lines of the console.

    Args:
        path: path of the page.
        folder: empty folder for the browser.
    """
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    command += ["--disable-background-networking", f"--user-data-dir={folder}"]
    command += ["--virtual-time-budget=5000", "--dump-dom", f"file://{path}"]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    lines = done.stderr.decode(errors="replace").splitlines()
    return done.stdout.decode(), [
        line for line in lines if ":CONSOLE:" in line or ":CONSOLE(" in line
    ]
