import numpy as np
import pytest
from scipy import stats
from support.board import KINDS, Board
from support.fake_runs import write_run

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.comparison.rows import compare
from keras_pruning.comparison.runs import find_runs
from keras_pruning.reports.pictures import correlation_map, grid
from keras_pruning.reports.tensorboard import addresses, write_tensorboard
from keras_pruning.statistics.ranks import rank_correlations


def board_of(folder, tables, examples, **options):
    runs = find_runs(folder)
    write_tensorboard(folder / "comparison", runs, compare(runs), tables, examples, **options)
    return Board(folder)


def example_table(count=60, examples=None, direction=True, **scores):
    """Examples of one grey level each, from black at row 0 to white, and their scores."""
    levels = np.arange(count, dtype=np.uint8) * (255 // (count - 1))
    if examples is None:
        x = np.broadcast_to(levels[:, None, None, None], (count, 4, 4, 1))
        examples = kp.Examples.from_arrays(x.copy(), np.arange(count) % 3)
    directions = {name: {"higher_is_harder": direction} for name in scores}
    metadata = {"examples": examples.provenance, "scores": directions}
    return examples, kp.ScoreTable(examples.ids, examples.labels, scores, metadata=metadata)


def scores_board(folder, examples, table, **options):
    write_run(folder, 0.9)
    return board_of(folder, {1.0: table}, {1.0: examples}, **options)


def levels_shown(board, tag):
    """The rows of the 25 examples of a picture, read off their grey levels."""
    pixels = board.pixels("comparison/scores", tag)
    assert pixels.shape == (5 * (112 + 3 * 24 + 10) + 10, 5 * (112 + 10) + 10, 3)
    middles = pixels[10 + 56 :: 112 + 3 * 24 + 10, 10 + 56 :: 112 + 10, 0]
    return middles[:5, :5].ravel() // 4


@pytest.mark.parametrize("higher_is_harder", [True, False])
def test_pictures_start_with_the_most_extreme(tmp_path, higher_is_harder):
    examples, table = example_table(
        direction=higher_is_harder, score=np.random.default_rng(0).permutation(60)
    )
    board = scores_board(tmp_path, examples, table)
    ascending = np.argsort(table["score"])
    hardest, easiest = ascending[::-1], ascending
    if not higher_is_harder:
        hardest, easiest = easiest, hardest
    np.testing.assert_array_equal(levels_shown(board, "hardest/score"), hardest[:25])
    np.testing.assert_array_equal(levels_shown(board, "easiest/score"), easiest[:25])


def test_ties_in_pictures_break_at_random_under_the_seed(tmp_path):
    examples, table = example_table(constant=np.zeros(60))
    shown = [
        levels_shown(
            scores_board(tmp_path / name, examples, table, seed=seed), "hardest/constant"
        ).tolist()
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert shown[0] == shown[1] != shown[2]
    assert shown[0] != list(range(25))


def test_few_examples_are_all_shown(tmp_path):
    examples, table = example_table(count=3, score=[1.0, 3.0, 2.0])
    pixels = scores_board(tmp_path, examples, table).pixels("comparison/scores", "hardest/score")
    assert pixels.shape == (112 + 3 * 24 + 10 + 10, 5 * (112 + 10) + 10, 3)


@pytest.mark.parametrize("shape", [(5,), (4, 4), (4, 4, 2), (4, 4, 4), (2, 4, 4, 3)])
def test_examples_that_are_no_pictures_have_none(tmp_path, shape):
    others = kp.Examples.from_arrays(np.zeros((60, *shape), np.uint8), np.arange(60) % 2)
    examples, table = example_table(examples=others, score=np.arange(60))
    board = scores_board(tmp_path, examples, table)
    assert board.tags("comparison/scores", "images") == {}
    assert set(board.tags("comparison/scores", "histograms")) == {"scores/score"}


def test_examples_in_colour_are_pictures(tmp_path):
    others = kp.Examples.from_arrays(np.zeros((60, 4, 5, 3), np.uint8), np.arange(60) % 2)
    examples, table = example_table(examples=others, score=np.arange(60))
    board = scores_board(tmp_path, examples, table)
    assert set(board.tags("comparison/scores", "images")) == {"hardest/score", "easiest/score"}


def test_class_names_that_the_font_lacks_become_numbers(tmp_path):
    shown = []
    for names in (["cat", "猫", "chat"], ["cat", "class 1", "chat"], ["cat", "dog", "chat"]):
        examples, table = example_table(score=np.arange(60))
        examples.class_names = names
        board = scores_board(tmp_path / names[1], examples, table)
        shown.append(board.pixels("comparison/scores", "hardest/score"))
    np.testing.assert_array_equal(shown[0], shown[1])
    assert (shown[0] != shown[2]).any()


def pages(folder, examples, table):
    rows = compare(find_runs(folder))
    found = addresses(folder / "comparison", rows, {1.0: table}, {1.0: examples})
    return {name: address.partition("#")[2] for name, address in found.items()}


def test_addresses_are_of_pages_that_show_something(tmp_path):
    examples, table = example_table(score=np.arange(60))
    scores_board(tmp_path / "images", examples, table)
    shown = {"charts": "custom_scalars", "table": "hparams"}
    everything = {**shown, "images": "images", "projector": "projector"}
    assert pages(tmp_path / "images", examples, table) == everything
    texts = kp.Examples.from_arrays(["a", "b", "c"] * 20, np.arange(60) % 3)
    _, table = example_table(examples=texts, score=np.arange(60))
    scores_board(tmp_path / "texts", texts, table)
    assert pages(tmp_path / "texts", texts, table) == shown


def test_a_table_without_examples_has_no_pictures(tmp_path):
    _, table = example_table(score=np.arange(60))
    write_run(tmp_path, 0.9)
    assert board_of(tmp_path, {1.0: table}, {}).tags("comparison/scores", "images") == {}


def test_the_scores_of_other_examples_are_refused(tmp_path):
    _, table = example_table(score=np.arange(60))
    others = kp.Examples.from_arrays(np.zeros((60, 4, 4, 1), np.uint8), np.arange(60) % 3)
    with pytest.raises(InputError, match="other examples"):
        scores_board(tmp_path, others, table)


def test_histograms_hold_the_scores(tmp_path):
    examples, table = example_table(score=np.repeat([0.0, 3.0], [20, 40]))
    board = scores_board(tmp_path, examples, table)
    assert board.tags("comparison/scores", "histograms") == {"scores/score": "Higher is harder."}
    buckets = board.tensor("comparison/scores", "scores/score", "histograms")
    assert (buckets[0, 2], buckets[-1, 2]) == (20, 40)
    assert (buckets[0, 0], buckets[-1, 1]) == (0.0, 3.0)


def test_rank_correlations_are_spearmans():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 5, (3, 40)).astype(float)
    np.testing.assert_allclose(
        rank_correlations(scores), stats.spearmanr(scores, axis=1).statistic, atol=1e-12
    )
    two = rank_correlations([[1.0, 2.0, 3.0], [0.1, 100.0, 101.0]])
    np.testing.assert_allclose(two, np.ones((2, 2)))
    assert np.isnan(rank_correlations([[1.0, 1.0], [1.0, 2.0]])[0, 1])


def test_rank_correlations_are_of_difficulties(tmp_path):
    rising = np.arange(60.0)
    scores = {"el2n": rising, "aum": -rising, "constant": np.zeros(60), "vog": -rising}
    examples, table = example_table(**scores)
    table.metadata["scores"]["aum"]["higher_is_harder"] = False
    board = scores_board(tmp_path, examples, table)
    text = board.tensor("comparison/scores", "rank_correlation/table", "text").item().decode()
    assert text.splitlines() == [
        "|  | el2n | aum | constant | vog |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| **el2n** | 1.00 | 1.00 | – | -1.00 |",
        "| **aum** | 1.00 | 1.00 | – | -1.00 |",
        "| **constant** | – | – | – | – |",
        "| **vog** | -1.00 | -1.00 | – | 1.00 |",
    ]
    assert board.pixels("comparison/scores", "rank_correlation/map").shape[2] == 3


def test_no_tag_stands_for_two_kinds_of_data(tmp_path):
    examples, table = example_table(el2n=np.arange(60.0), vog=np.arange(60.0) % 7)
    board = scores_board(tmp_path, examples, table)
    tags = [tag for kind in KINDS for tag in board.tags("comparison/scores", kind)]
    assert len(tags) == len(set(tags)) == 2 + 4 + 2


def test_each_data_fraction_has_its_scores(tmp_path):
    write_run(tmp_path, 0.9)
    write_run(tmp_path, 0.8, fraction=0.5)
    examples, table = example_table(score=np.arange(60))
    tables, sources = {1.0: table, 0.5: table}, {1.0: examples, 0.5: examples}
    board = board_of(tmp_path, tables, sources)
    for name in ("data-1.00", "data-0.50"):
        assert set(board.tags(f"comparison/scores/{name}", "images")) == {
            "hardest/score",
            "easiest/score",
        }


CAPTION = [["cat", "1.5"]]


def tile(picture, side=112):
    """The first example of a grid."""
    return picture[10 : 10 + side, 10 : 10 + side]


def test_small_examples_grow_by_a_whole_factor():
    pixels = np.arange(9, dtype=np.uint8).reshape(1, 3, 3, 1) * 28
    shown = tile(grid(pixels, CAPTION), 111)
    np.testing.assert_array_equal(shown[..., 0], np.kron(pixels[0, ..., 0], np.ones((37, 37))))


def test_large_examples_shrink_to_fit():
    pixels = np.full((1, 224, 448, 3), 7, np.uint8)
    picture = grid(pixels, CAPTION)
    assert picture.shape == (10 + 56 + 2 * 24 + 10, 5 * 122 + 10, 3)
    assert (picture[10 : 10 + 56, 10 : 10 + 112] == 7).all()


@pytest.mark.parametrize(
    "inputs, expected",
    [
        (np.array([0.0, 0.2, 1.0], np.float32), [0, 51, 255]),
        (np.array([0.2, 0.2, 0.4], np.float32), [51, 51, 102]),
        (np.array([-1.0, 0.0, 1.5], np.float32), [0, 102, 255]),
        (np.array([7.0, 7.0, 7.0], np.float32), [0, 0, 0]),
        (np.array([0, 51, 200], np.uint8), [0, 51, 200]),
    ],
)
@pytest.mark.filterwarnings("error")
def test_floats_become_grey_levels(inputs, expected):
    picture = grid(inputs.reshape(3, 1, 1, 1), CAPTION * 3)
    assert picture[10 + 56, 10 + 56 : 10 + 3 * 122 : 122].tolist() == [[e] * 3 for e in expected]


def test_colours_stay():
    picture = grid(np.array([[[[10, 20, 30]]]], np.uint8), CAPTION)
    assert (tile(picture) == [10, 20, 30]).all()


def test_captions_stay_in_their_column():
    long, short = ["a class with a very long name", "1"], ["b", "2"]
    pixels = np.zeros((3, 1, 1, 1), np.uint8)
    with_long = grid(pixels, [short, long, short])
    without = grid(pixels, [short, short, short])
    text = slice(10 + 112, None)
    middle = slice(10 + 122 - 5, 10 + 2 * 122 - 5)
    assert (with_long[text, middle] != without[text, middle]).any()
    outside = np.ones(with_long.shape[1], bool)
    outside[middle] = False
    np.testing.assert_array_equal(with_long[:, outside], without[:, outside])


def test_correlations_are_blue_below_and_red_above_zero():
    picture = correlation_map(np.array([[1.0, -1.0], [np.nan, 0.0]]), ["a", "b"])
    left = picture.shape[1] - 2 * 72 - 10
    # A corner of each cell, clear of the number.
    corners = picture[left + 4 :: 72, left + 4 :: 72][:2, :2].tolist()
    red, blue, white = [178, 24, 43], [33, 102, 172], [247, 247, 247]
    assert corners == [[red, blue], [[255] * 3, white]]
    missing = picture[left + 72 : left + 2 * 72 - 2, left : left + 70]
    assert (missing == 255).all()
