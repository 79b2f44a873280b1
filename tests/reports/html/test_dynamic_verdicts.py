"""The verdicts of methods that prune while training are not told as those of random pruning."""

from support.fake_runs import write_dynamic_run, write_run

from keras_pruning.comparison.report import write_comparison


def test_the_page_names_the_baselines_of_a_dynamic_method(tmp_path):
    for seed in range(8):
        write_run(tmp_path, 0.9 + 0.001 * (seed % 3), seed=seed)
        for name, accuracy in (("infobatch", 0.9), ("rs2", 0.7), ("shortened", 0.6)):
            entry = {"name": name} if name == "infobatch" else {"name": name, "f": 0.6}
            spread = accuracy + 0.002 * (seed % 4)
            write_dynamic_run(tmp_path, spread, entry, 0.6, seed=seed)
    write_comparison(tmp_path, {})
    page = (tmp_path / "comparison" / "report.html").read_text()
    assert "better than its baselines on as many examples (RS2, a shortened run): " in page
    assert "etter than random" not in page
    assert "to random pruning" not in page
    assert "3 that prune while training" in page
    assert "no random pruning" not in page.lower()
    assert "The 3 comparisons of such methods and their baselines on one data fraction" in page
    # Seeds 0 to 7 take 2 to 9 seconds
    table = page[page.index(">examples seen</th>") :]
    table = table[: table.index("</table>")]
    assert ">seconds</th>" in table and ">5.5<" in table
