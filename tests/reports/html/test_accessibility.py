"""A page in Chromium by axe-core: names of charts and controls, contrasts, and nothing fetched."""

import html
import json
import re
import shutil
import subprocess
import tarfile

import numpy as np
import pytest
from support.fake_runs import EL2N, RANDOM, write_run
from support.html_pages import CHROMIUM, after_scripts
from support.scored import HOSTILE, table

import keras_pruning as kp
from keras_pruning.comparison.report import write_comparison

NPM = shutil.which("npm")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None or NPM is None, reason="needs Chromium and npm"),
]
RUN = """
axe.run().then((found) => {
  const result = document.createElement("pre");
  const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact));
  const fetched = performance.getEntriesByType("resource").map((entry) => entry.name);
  result.id = "axe";
  result.textContent = JSON.stringify({
    passed: found.passes.map((one) => one.id),
    serious: serious.map((one) => [one.id, one.nodes.map((node) => node.html.slice(0, 200))]),
    fetched: fetched.filter((name) => !name.startsWith("data:")),
  });
  document.body.append(result);
});
"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The source of axe-core from npm. It is no dependency of the package."""
    folder = tmp_path_factory.mktemp("axe")
    command = [NPM, "pack", "axe-core@4.11.0", "--silent", "--pack-destination", folder]
    packed = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if packed.returncode:
        pytest.skip(f"npm has no axe-core: {packed.stderr[-200:]}")
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as file:
        return file.extractfile("package/axe.min.js").read().decode()


def comparison_page(folder):
    for seed in range(3):
        for method, keep_fraction in (
            (None, 1.0),
            *((m, f) for m in (RANDOM, EL2N) for f in PARTS),
        ):
            write_run(folder, 0.8 + 0.01 * seed + 0.05 * keep_fraction, method, keep_fraction, seed)
    write_comparison(folder)
    return folder / "comparison" / "report.html"


PARTS = (0.2, 0.4, 0.6, 0.8)


def score_page(folder):
    labels = np.arange(60) % 3
    x = np.random.default_rng(0).integers(0, 256, (60, 6, 6, 1), "uint8")
    examples = kp.Examples.from_arrays(x, labels, class_names=HOSTILE[:3])
    rng = np.random.default_rng(1)
    scores = {name: rng.random(60) for name in ("confidence", "variability", "el2n")}
    kp.write_report(folder / "report.html", table(labels, scores, examples=examples), examples)
    return folder / "report.html"


@pytest.mark.parametrize("make", [comparison_page, score_page], ids=lambda make: make.__name__)
def test_no_serious_violation_and_nothing_fetched(make, axe, tmp_path):
    page = make(tmp_path)
    # The policy of the page would not let another script run.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    start, _, end = text.rpartition("</body>")
    page.write_text(f"{start}<script>{axe}</script><script>{RUN}</script></body>{end}")
    shown, console = after_scripts(page, tmp_path / "browser")
    result = json.loads(html.unescape(re.search(r'<pre id="axe">(.*?)</pre>', shown, re.S)[1]))
    assert console == []
    assert result["serious"] == []
    assert result["fetched"] == []
    # Rules that apply to the charts and controls have run.
    assert {"select-name", "svg-img-alt", "color-contrast"} <= set(result["passed"])
