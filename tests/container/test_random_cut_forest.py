"""Random Cut Forest scores rows by the depth that they have in random cut trees, logs its metrics, and answers so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from algorithm_jobs import Job, body_of_csv, drawn, records
from sklearn.metrics import f1_score, precision_score, recall_score

from sagemaker_algorithms import random_cut_trees, randomcutforest

FOREST = {"feature_dim": 4, "num_trees": 50, "num_samples_per_tree": 32}
SHARDED = {"train": {"S3DistributionType": "ShardedByS3Key"}}
TRAIN = drawn(2000, 4, 1)
FAR = drawn(4, 4, 3) + 60
TEST = np.concatenate([drawn(196, 4, 2), FAR])
LABELS = np.repeat([0.0, 1.0], [196, 4])
FEW = np.random.default_rng(0).normal(size=(12, 2)).round(2)


def depth_in_a_tree(points: Any, point: Any, generator: Any) -> int:
    """The depth of a point as the leaf of a tree that is cut at random, by the definition."""
    if len(points) == 1:
        return 0
    low, high = points.min(axis=0), points.max(axis=0)
    dimension = generator.choice(points.shape[1], p=(high - low) / (high - low).sum())
    cut = generator.uniform(low[dimension], high[dimension])
    is_left = points[:, dimension] <= cut
    side = is_left if point[dimension] <= cut else ~is_left
    return 1 + depth_in_a_tree(points[side], point, generator)


@pytest.mark.parametrize("point", [[0.1, 0.1], [3.0, -4.0], [0.5, 2.0]])
def test_a_score_is_the_mean_inverse_of_the_depth_that_a_new_point_has(point: list[float]) -> None:
    generator, trees = np.random.default_rng(1), 3000
    forest = random_cut_trees.grown(np.broadcast_to(FEW, (trees, *FEW.shape)), generator)
    all_points = np.vstack([FEW, point])
    depths = np.array([depth_in_a_tree(all_points, all_points[-1], generator) for _ in range(trees)])
    expected = np.log2(len(FEW) + 1) / depths
    tolerance = 4 * expected.std() / np.sqrt(trees)
    assert random_cut_trees.scores(forest, np.array([point]))[0] == pytest.approx(expected.mean(), abs=tolerance)


def test_a_tree_cuts_until_each_leaf_is_one_point_however_often_that_is_there() -> None:
    points = np.repeat(FEW, [1, 5, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1], axis=0)
    forest = random_cut_trees.grown(points[None], np.random.default_rng(0))
    is_leaf = forest["child"] == 0
    assert len(forest["mass"]) == 2 * len(FEW) - 1
    assert sorted(forest["mass"][is_leaf]) == [1] * 10 + [2, 5]
    assert {tuple(point) for point in forest["low"][is_leaf]} == {tuple(point) for point in FEW}
    assert np.array_equal(forest["low"][is_leaf], forest["high"][is_leaf])
    assert np.array_equal([forest["low"][0], forest["high"][0]], [FEW.min(axis=0), FEW.max(axis=0)])
    for node in np.flatnonzero(~is_leaf):
        left, right, dimension = forest["child"][node], forest["child"][node] + 1, forest["dimension"][node]
        assert forest["high"][left][dimension] <= forest["cut"][node] < forest["low"][right][dimension]
        assert forest["mass"][left] + forest["mass"][right] == forest["mass"][node]


def test_what_a_point_scores_does_not_depend_on_those_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    forest = random_cut_trees.grown(TRAIN[:800].reshape(50, 16, 4), np.random.default_rng(0))
    together = random_cut_trees.scores(forest, TEST)
    monkeypatch.setattr(random_cut_trees, "_MOST_NUMBERS", 1)
    np.testing.assert_allclose(random_cut_trees.scores(forest, TEST), together, rtol=1e-12)


def test_a_point_that_all_trees_have_scores_less_than_one_that_none_has() -> None:
    same = np.zeros((50, 8, 1))
    forest = random_cut_trees.grown(same, np.random.default_rng(0))
    seen, unseen = random_cut_trees.scores(forest, np.array([[0.0], [1.0]]))
    assert seen == pytest.approx(0.5)  # half of log2(9) / log2(9), since all of a tree is this point
    assert unseen == pytest.approx(np.log2(9))


def test_a_job_logs_metrics_by_three_standard_deviations_and_its_model_finds_what_is_far_away(tmp_path: Path) -> None:
    job = Job(tmp_path, "randomcutforest")
    job.write("train", records(TRAIN))
    job.write("test", records(TEST, LABELS))
    ended = job.run({**FOREST, "_tuning_objective_metric": "test:f1", "mini_batch_size": "1000"}, channels=SHARDED)
    assert ended.code == 0, ended.logged
    with job.served() as server:
        answers = [[row["score"] for row in rows] for rows in server.of_all_types(TEST)]
        status, kind, content = server.answer(body_of_csv(TEST[:1]), "text/csv", "application/json")
    scores = np.array(answers[0])
    for others in answers[1:]:
        np.testing.assert_allclose(others, scores, rtol=1e-6)
    assert (status, kind) == (200, "application/json")
    assert content.startswith(b'{"scores": [{"score": ')
    assert scores[-4:].min() > scores[:-4].max()
    found = scores > scores.mean() + 3 * scores.std()
    assert ended.metrics == pytest.approx(
        {
            "test accuracy <score>": np.mean(found == LABELS),
            "test precision <score>": precision_score(LABELS, found),
            "test recall <score>": recall_score(LABELS, found),
            "test f1 <score>": f1_score(LABELS, found),
            "test negative_precision <score>": precision_score(LABELS, found, pos_label=0),
            "test negative_recall <score>": recall_score(LABELS, found, pos_label=0),
            "test negative_f1 <score>": f1_score(LABELS, found, pos_label=0),
        }
    )
    assert ended.metrics["test f1 <score>"] == 1


def test_only_the_metrics_that_are_asked_for_are_logged(tmp_path: Path) -> None:
    job = Job(tmp_path, "randomcutforest")
    job.write("train", records(TRAIN))
    job.write("test", records(TEST, LABELS))
    ended = job.run({**FOREST, "eval_metrics": '["accuracy"]'}, channels=SHARDED)
    assert list(ended.metrics) == ["test accuracy <score>"]


@pytest.mark.parametrize(("asked", "rows", "size"), [(32, 2000, 32), (2000, 2000, 40), (256, 99, 1)])
def test_a_tree_has_an_equal_share_of_the_rows_where_there_are_too_few(
    tmp_path: Path, asked: int, rows: int, size: int
) -> None:
    job = Job(tmp_path, "randomcutforest")
    job.write("train", body_of_csv(TRAIN[:rows]))
    ended = job.run({**FOREST, "num_samples_per_tree": asked}, "text/csv;label_size=0", channels=SHARDED)
    assert ended.code == 0, ended.logged
    with np.load(tmp_path / "model/model_algo-1") as model:
        assert int(model["size"]) == size
        assert model["mass"][:50].tolist() == [size] * 50
        lowest = model["low"][:50]
    in_order = TRAIN[: 50 * size].reshape(50, size, 4).min(axis=1)
    assert np.array_equal(lowest, in_order) == (asked * 50 >= rows)


def test_all_rows_are_as_likely_to_be_sampled() -> None:
    generator = np.random.default_rng(0)
    drawn_rows = [randomcutforest._reservoir(40, 10, generator) for _ in range(4000)]
    assert all(len(set(rows)) == 10 for rows in drawn_rows[:100])
    counts = np.bincount(np.concatenate(drawn_rows), minlength=40)
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


@pytest.mark.parametrize(
    ("hyperparameters", "words"),
    [
        ({}, "No value(s) were specified for 'feature_dim' which are required hyperparameter(s)"),
        ({**FOREST, "num_trees": 49}, "Hyperparameter num_trees: '49' is not an integer in [50, 1000]"),
        ({**FOREST, "num_samples_per_tree": 2049}, "num_samples_per_tree: '2049' is not an integer in [1, 2048]"),
        ({**FOREST, "feature_dim": 10001}, "feature_dim: '10001' is not an integer in [1, 10000]"),
        ({**FOREST, "eval_metrics": '["f1"]'}, "is not a JSON list of accuracy, precision_recall_fscore"),
        ({**FOREST, "num_trees": 1000}, "The number of rows in the channel 'train', 100, is less than num_trees, 1000"),
    ],
)
def test_hyperparameters_outside_of_their_ranges_are_refused(
    tmp_path: Path, hyperparameters: dict[str, Any], words: str
) -> None:
    job = Job(tmp_path, "randomcutforest")
    job.write("train", records(TRAIN[:100]))
    assert job.run(hyperparameters, channels=SHARDED).code == 1
    assert job.failure.startswith("ClientError: ")
    assert words in job.failure


@pytest.mark.parametrize(
    ("labels", "channels", "words"),
    [
        (LABELS, {}, "supports S3DataDistributionType ShardedByS3Key alone for the channel 'train', and it is Fully"),
        (LABELS, {**SHARDED, "test": SHARDED["train"]}, "FullyReplicated alone for the channel 'test', and it is Shar"),
        (None, SHARDED, "The channel 'test' has no labels"),
        (LABELS + 1, SHARDED, "has labels other than 0, which is normal, and 1, which is an anomaly"),
    ],
)
def test_channels_are_as_aws_documents_them(
    tmp_path: Path, labels: Any, channels: dict[str, dict[str, str]], words: str
) -> None:
    job = Job(tmp_path, "randomcutforest")
    job.write("train", records(TRAIN))
    job.write("test", records(TEST, labels))
    assert job.run(FOREST, channels=channels).code == 1
    assert words in job.failure


def test_a_request_of_another_width_is_a_bad_one(tmp_path: Path) -> None:
    job = Job(tmp_path, "randomcutforest")
    job.write("train", records(TRAIN))
    job.run(FOREST, channels=SHARDED)
    with job.served() as server:
        status, _, content = server.answer("1,2,3\n", "text/csv")
    assert status == 400
    assert b"rows have 3 features, and the model has 4" in content
