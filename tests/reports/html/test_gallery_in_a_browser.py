"""The gallery in Chromium: its scripts filter and sort, and no name of a class runs."""

import re

import numpy as np
import pytest
from support.html_pages import CHROMIUM, ReadPage, after_scripts
from support.scored import HOSTILE, table

import keras_pruning as kp

# Starting a browser takes seconds.
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")]


@pytest.fixture
def page(tmp_path):
    """A page of three classes with hostile names and two scores of opposite order."""
    labels = np.arange(60) % 3
    x = np.random.default_rng(0).integers(0, 256, (60, 6, 6, 1), "uint8")
    examples = kp.Examples.from_arrays(x, labels, class_names=HOSTILE[:3])
    scores = {"up": np.arange(60.0), "down": -np.arange(60.0)}
    made = table(labels, scores, examples=examples)
    path = tmp_path / "report.html"
    kp.write_report(path, made, examples)
    return path


def seen(html):
    """The ids that are shown, in order, and the text beside the controls."""
    shown, hidden = [], 0
    for tag, inside, text in re.findall(r"<(/?(?:div|span))\b([^>]*)>([^<]*)", html):
        if tag == "div":
            # Every element inside of a hidden one counts until that one ends.
            hidden += 1 if hidden or "hidden" in inside else 0
        elif tag == "/div":
            hidden -= 1 if hidden else 0
        elif tag == "span" and 'class="id"' in inside and not hidden:
            shown.append(int(text))
    return shown, re.search(r"<output>(.*?)</output>", html)[1]


def with_choices(page, **choices):
    """The page with a script that chooses as a person would. The policy would not let it run."""
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    steps = "".join(
        f'form.elements["{name}"].value = "{value}";' for name, value in choices.items()
    )
    driver = (
        f'{{ const form = document.querySelector("form.choices"); {steps}'
        'form.dispatchEvent(new Event("change")); }'
    )
    start, _, end = html.rpartition("</body>")
    page.write_text(f"{start}<script>{driver}</script></body>{end}")
    return page


def test_all_classes_of_the_first_score_are_shown_at_first(page, tmp_path):
    html, console = after_scripts(page, tmp_path / "browser")
    assert console == []
    shown, count = seen(html)
    assert count == "48 entries shown" and len(shown) == 48
    assert shown[:8] == list(range(57, 35, -3)) and shown[8:16] == list(range(0, 22, 3))
    assert any(HOSTILE[0] in tile["alt"] for tile in ReadPage(html).named("img"))
    # The charts are drawn, and the static picture is gone.
    assert html.count("<svg") >= 1 and 'class="static"' not in html


def test_a_class_a_score_and_an_order_are_chosen(page, tmp_path):
    choices = with_choices(page, **{"class": "2", "score": "down", "order": "1"})
    html, console = after_scripts(choices, tmp_path / "browser")
    assert console == []
    shown, count = seen(html)
    assert count == "16 entries shown"
    # By `down` the first rows are the hardest. Within each group the hardest comes first.
    assert shown == [*range(2, 24, 3), *range(38, 60, 3)]
    turned = with_choices(page, **{"class": "2", "score": "up", "order": "-1"})
    shown, _ = seen(after_scripts(turned, tmp_path / "other")[0])
    assert shown == [*range(38, 60, 3), *range(2, 24, 3)]
