import base64
import configparser
import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup
from support.html_pages import HOSTILE, require_sound

from keras_pruning.reports.html.charts import Chart, styles
from keras_pruning.reports.html.page import Section, page_text, script_json, write_page
from keras_pruning.reports.html.tables import Table
from keras_pruning.storage import AlreadyExists

ROOT = Path(__file__).parents[3]


def table(text="b"):
    return Table(f"caption {text}", ["name", text], [[text, "1.5"]])


def chart_section(text="b", id="charts"):
    spec = {"data": {"values": [{"name": text}]}, "mark": "point"}
    chart = Chart(spec, Markup("<svg></svg>"), f"caption {text}", table(text), styles([text]))
    context = {"parts": [{"title": text, "charts": [chart]}], "lines": [text]}
    return Section(f"title {text}", "charts.html.j2", context, id)


def table_section(text="b"):
    context = {"tables": [table(text)], "items": [], "lines": [text]}
    return Section(text, "tables.html.j2", context, "tables")


def test_vendored_files_have_the_recorded_checksums():
    vendor = files("keras_pruning.reports.html") / "vendor"
    recorded = re.findall(r"`(\S+\.js)` \| .* \| `(\w{64})`", (vendor / "README.md").read_text())
    assert len(recorded) == 3
    for name, checksum in recorded:
        content = (vendor / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == checksum
        # These would end the script or keep it from ending.
        assert b"</script" not in content.lower() and b"<!--" not in content


def test_json_of_a_script_ends_no_script_and_comes_back():
    text = script_json({"a": ["</script><!--", 1.5, None], "b&": "\u202e\u2028"})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"a": ["</script><!--", 1.5, None], "b&": "\\u202e\\u2028"}
    with pytest.raises(ValueError):
        script_json(float("nan"))


def test_hostile_text_is_shown_and_not_obeyed():
    sections = [chart_section(HOSTILE), table_section(HOSTILE)]
    html = page_text(f"title {HOSTILE}", sections, HOSTILE)
    page = require_sound(html)
    assert len(page.scripts) == 4
    # In the title, the heading, the summary, the navigation and the sections
    assert page.text.count("<script>alert(1)</script></style>\"'&<!--{{ 7*7 }}\\u202e") > 8
    (spec,) = map(json.loads, page.data)
    shown = HOSTILE.replace("\u202e", "\\u202e").replace("\u2028", "\\u2028")
    shown = shown.replace("\x00", "\\x00").replace("\x1b", "\\x1b")
    assert spec["data"]["values"] == [{"name": shown}]


def test_the_policy_allows_the_scripts_of_the_page_only():
    page = require_sound(page_text("title", [chart_section(), table_section()]))
    (policy,) = [meta["content"] for meta in page.named("meta") if "http-equiv" in meta]
    hashes = re.findall(r"'sha256-([^']+)'", policy)
    digests = [hashlib.sha256(script.encode()).digest() for script in page.scripts]
    assert hashes == [base64.b64encode(digest).decode() for digest in digests]
    assert policy.startswith("default-src 'none';") and "unsafe-eval" not in policy
    assert "script-src 'unsafe-inline'" not in policy


def test_libraries_come_with_charts_only_and_with_licences():
    plain, drawn = (page_text("title", [section]) for section in (table_section(), chart_section()))
    assert len(plain) < 10_000 and "script-src &#39;none&#39;" in plain
    assert 800_000 < len(drawn) < 1_000_000
    assert drawn.count("Redistribution and use in source and binary forms") == 3
    assert "sourceMappingURL" not in drawn
    assert page_text("title", [chart_section(), chart_section(id="more")]).count("</script>") == 6


def test_a_missing_variable_is_an_error():
    with pytest.raises(UndefinedError):
        page_text("title", [Section("a", "charts.html.j2", {}, "a")])


def test_a_table_needs_rows_of_one_length():
    with pytest.raises(ValueError, match="different lengths"):
        Table("a", ["x", "y"], [["1", "2"], ["3"]])
    assert Table("a", ["x", "y"], []).align == "lr"


def test_series_differ_without_colours_and_in_both_schemes():
    looks = styles([f"method {place}" for place in range(20)] + ["random"], plain=["random"])
    assert len({(look.color, str(look.dash), look.outline) for look in looks}) == 21
    assert looks[-1].color == "var(--ink)"
    style = (files("keras_pruning.reports.html") / "templates" / "page.css").read_text()
    for look in looks:
        # Once for light and once for dark
        assert style.count(f"{look.color[4:-1]}:") == 2


def test_a_page_replaces_no_file(tmp_path):
    write_page(tmp_path / "page.html", "title", [table_section()])
    with pytest.raises(AlreadyExists):
        write_page(tmp_path / "page.html", "title", [table_section()])
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_an_installed_package_has_all_files():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    patterns = setup["options.package_data"]["keras_pruning.reports.html"].split()
    room = ROOT / "keras_pruning" / "reports" / "html"
    packed = {path for pattern in patterns for path in room.glob(pattern)}
    package = ROOT / "keras_pruning"
    others = [
        path for path in package.rglob("*") if path.is_file() and "__pycache__" not in str(path)
    ]
    assert {path for path in others if path.suffix != ".py"} == packed
