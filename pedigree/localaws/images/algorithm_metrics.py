"""The metrics of the built-in algorithms other than XGBoost, by the names that AWS documents for searches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

_USUAL = (
    ("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
    ("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"),
)
_LINEAR = (
    "mse <loss>",
    "absolute_loss <loss>",
    "binary_classification_accuracy <score>",
    "precision <score>",
    "recall <score>",
    "multiclass_accuracy <score>",
    "macro_precision <score>",
    "macro_recall <score>",
)
# What their lines have in place of a fixed name.
_LINEAR_PATTERNS = {
    "binary_f_beta": r"binary_f_\S+ <score>",
    "macro_f_beta": r"macro_f_\S+ <score>",
    "multiclass_top_k_accuracy": r"multiclass_top_k_accuracy_\S+ <score>",
    "objective_loss:final": r"\S+_objective <loss>",
}
_OF_ALGORITHMS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "kmeans": (("train", "test"), ("msd <loss>", "ssd <loss>")),
    "pca": ((), ()),
    "randomcutforest": (("test",), ("f1 <score>",)),
    "knn": (("test",), ("accuracy <score>", "mse <loss>")),
    "linear-learner": (("train", "validation", "test"), _LINEAR),
}


def names() -> Sequence[str]:
    """The algorithms."""
    return tuple(_OF_ALGORITHMS)


def definitions(algorithm: str) -> Iterator[tuple[str, str]]:
    """The name and the expression of each metric of an algorithm, which has the name of its image."""
    yield from _USUAL
    channels, metrics = _OF_ALGORITHMS[algorithm]
    for channel in channels:
        for metric in metrics:
            yield f"{channel}:{metric.partition(' ')[0]}", _expression(channel, metric)
        if algorithm == "linear-learner":
            yield f"{channel}:objective_loss", _expression(f"epoch=\\S+, {channel}", r"\S+_objective <loss>")
            yield from ((f"{channel}:{name}", _expression(channel, one)) for name, one in _LINEAR_PATTERNS.items())


def _expression(channel: str, metric: str) -> str:
    return rf"#quality_metric: host=\S+, {channel} {metric}=(\S+)"
