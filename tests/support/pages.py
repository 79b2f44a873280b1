"""Reads and executes the pages of the documentation.

A page is executed block by block, in order, in an empty folder that also has `configs/`:

- `python`: runs in one namespace for the whole page. A `print(...)` line says its output in a
  comment behind it. One that begins with "for example" stands for any numbers. If the first line is
  a comment with a file name, such as `# networks.py`, the block is also saved under that name.
- `yaml` with such a first line: is saved, and must be a valid config.
- `console`: each `python cli.py …` line is parsed, and also run if the line before the block is
  `<!-- run -->`. Each `make …` line names a target of the Makefile, each `pip install …` line
  existing extras. A `python FILE` line names an existing file.
- Any other language is shown and not executed.
"""

import configparser
import contextlib
import re
import shlex
import warnings
from dataclasses import dataclass
from pathlib import Path

from keras_pruning import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
RUN = "<!-- run -->"
_BLOCK = re.compile(rf"^({RUN}\n)?```(\S*).*?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass
class Block:
    """One fenced block: its language, text, first line in the page, and whether commands run."""

    language: str
    text: str
    line: int
    runs: bool

    @property
    def file_name(self):
        """The file name in the first line, such as `# small.yaml`, else `None`."""
        named = re.match(r"# (\S+\.\w+)\n", self.text)
        return named and named[1]


class Page:
    """A page of the documentation.

    Args:
        name: path below the root of the repository.
    """

    def __init__(self, name):
        self.path = ROOT / name
        self.text = self.path.read_text()

    @property
    def blocks(self):
        """The fenced blocks, in order."""
        return [
            Block(found[2], found[3], self.text[: found.start(3)].count("\n"), bool(found[1]))
            for found in _BLOCK.finditer(self.text)
        ]

    @property
    def commands(self):
        """The command lines of all `console` blocks."""
        return [command for block in self.blocks for command in commands(block)]

    @property
    def is_slow(self):
        """Whether the page trains a model or runs a command."""
        return ".fit(" in self.text or RUN in self.text

    @property
    def printed(self):
        """The outputs that the page claims in comments behind `print(...)`."""
        return re.findall(r"^ *print\(.*\)  # (.+)$", self.text, re.MULTILINE)

    @property
    def links(self):
        """The relative targets of links and pictures, without anchors."""
        targets = [target.partition("#")[0] for target in _LINK.findall(_BLOCK.sub("", self.text))]
        return [target for target in targets if target and "://" not in target]

    @property
    def configs(self):
        """The paths `configs/….yaml` that the page mentions."""
        return sorted(set(re.findall(r"configs/\w+\.yaml", self.text)))

    def execute(self, folder, namespace=None):
        """Executes the page in `folder`.

        Args:
            folder: path of an empty folder.
            namespace: dictionary of variables that the page needs and does not define.

        Returns:
            `Executed`.
        """
        (folder / "configs").symlink_to(ROOT / "configs")
        printed, exit_codes = [], []
        variables = {"__name__": "page", **(namespace or {})}
        variables["print"] = lambda *values: printed.append(" ".join(map(str, values)))
        with contextlib.chdir(folder):
            for block in self.blocks:
                if block.file_name:
                    Path(block.file_name).write_text(block.text)
                if block.language == "python":
                    # Empty lines first, so that a traceback has the line numbers of the page.
                    code = compile("\n" * block.line + block.text, str(self.path), "exec")
                    exec(code, variables)
                elif block.language == "console" and block.runs:
                    with warnings.catch_warnings():
                        # A command prints warnings as lines. The tests of commands read them.
                        warnings.simplefilter("ignore", UserWarning)
                        exit_codes += [cli.main(arguments(line)) for line in commands(block)]
                elif block.language == "console":
                    for line in commands(block):
                        check_command(line)
        return Executed(folder, variables, printed, exit_codes)


@dataclass
class Executed:
    """Results of a page: its folder, variables, printed lines and exit codes of its commands."""

    folder: Path
    variables: dict
    printed: list
    exit_codes: list


def commands(block):
    """Returns the command lines of a `console` block, comments removed."""
    lines = block.text.splitlines() if block.language == "console" else []
    return [line.partition(" # ")[0].strip() for line in lines if line.strip()]


def arguments(line):
    """Returns the arguments of a `python cli.py …` line."""
    python, script, *rest = shlex.split(line)
    assert (python, script) == ("python", "cli.py"), line
    return rest


def check_command(line):
    """Checks that a command line would be understood, without running it."""
    program, *rest = shlex.split(line)
    if program == "make":
        assert re.search(rf"^{rest[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line
    elif program == "pip":
        extras = re.search(r"\[(.*)\]", line)
        assert not extras or set(extras[1].split(",")) <= set(_extras()), line
    elif (program, rest[0]) == ("python", "cli.py"):
        parser = cli.make_parser()
        parser.instantiate(parser.parse_args(rest[1:]))
    elif program == "python" and not rest[0].startswith("-"):
        assert (ROOT / rest[0]).is_file(), line
    else:
        assert (program, *rest[:2]) == ("python", "-m", "pytest") or program == "tensorboard", line


def _extras():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return setup["options.extras_require"]
