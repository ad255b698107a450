"""Scores of a release: every system on the same pairs, per SNR and kind of noise, with confidence;
distilled against alone over seeds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfkd.config import Config
from tfkd.engines.choice import engine_factory
from tfkd.errors import ConfigError
from tfkd.evaluate import ALL, NOISY, Evaluation, Pair, PairScores, evaluate
from tfkd.metrics import METRICS, Interval
from tfkd.train.run_directory import RunDirectory

TEACHER, FLOAT, INT8, TFLM = "teacher, float", "float", "int8, TFLite", "int8, TFLite Micro"
DISTILLED, ALONE = "distilled", "alone"

FOLDERS = ("speech", "noise", "rir", "noisy", "clean")

Means = dict[str, dict[str, float]]


def scores(
    run: RunDirectory, folder: Path, teacher: Path, pairs: Sequence[Pair], kinds: Mapping[str, str]
) -> dict[str, Any]:
    """Noisy, teacher, float and int8 on pairs.

    Args:
        run: the student.
        folder: holds its model.tflite.
        teacher: run directory, or the shipped teacher's folder.
        pairs: what to score.
        kinds: stem of a noisy file -> kind of noise.
    """
    engines = {
        TEACHER: engine_factory("keras", teacher)(),
        FLOAT: engine_factory("keras", run.path)(),
        INT8: engine_factory("tflite", folder)(),
        TFLM: engine_factory("tflm", folder)(),
    }
    evaluation = evaluate(pairs, engines)
    by_noise: dict[str, list[PairScores]] = defaultdict(list)
    for score in evaluation.scores:
        by_noise[kinds.get(Path(score.pair.name).name, "other")].append(score)
    return {
        "pairs": len(evaluation.scores),
        "systems": means(evaluation, evaluation.scores),
        "differences": {
            f"{one} - {other}": as_dict(evaluation.differences(one, other))
            for one, other in ((TFLM, NOISY), (TFLM, FLOAT), (TFLM, INT8), (FLOAT, TEACHER))
        },
        "by_snr": {
            name: {"pairs": len(group), "systems": means(evaluation, group)}
            for name, group in evaluation.groups().items()
            if name != ALL
        },
        "by_noise": {
            name: {"pairs": len(group), "systems": means(evaluation, group)}
            for name, group in sorted(by_noise.items())
        },
    }


def against_others(
    folder: Path, pairs: Sequence[Pair], others: Mapping[str, Mapping[str, Path]]
) -> dict[str, Any]:
    """Label -> means of another denoiser, and by how much int8 on TFLite Micro is better, paired.

    Args:
        folder: holds model.tflite.
        pairs: what to score.
        others: label -> recordings that another denoiser made, from `find_others`.
    """
    if not others:
        return {}
    evaluation = evaluate(pairs, {TFLM: engine_factory("tflm", folder)()}, others=others)
    return {
        label: {
            "means": as_dict(evaluation.means(label, evaluation.scores)),
            "released_better_by": as_dict(evaluation.differences(TFLM, label)),
        }
        for label in others
    }


def comparison(
    distilled: Sequence[Path], alone: Sequence[Path], pairs: Sequence[Pair]
) -> dict[str, Any]:
    """Float scores of runs that differ in distillation and seed only.

    Returns:
        "steps" of each run, and per arm a list with one dict of means per run; empty without runs.

    Raises:
        ConfigError: two runs differ in more, an arm has one run only, or one arm is missing.
    """
    arms = {DISTILLED: list(distilled), ALONE: list(alone)}
    if not any(arms.values()):
        return {}
    if min(map(len, arms.values())) < 2:
        raise ConfigError(
            f"a comparison needs two runs of each arm or more, for a standard deviation. Received: "
            f"{len(distilled)} distilled, {len(alone)} alone."
        )
    runs = {path: RunDirectory.open(path) for paths in arms.values() for path in paths}
    first = next(iter(runs.values()))
    for arm, paths in arms.items():
        for path in paths:
            check_arm(runs[path], arm, first)
    evaluation = evaluate(pairs, {str(p): engine_factory("keras", p)() for p in runs})
    means_of = {path: evaluation.means(str(path), evaluation.scores) for path in runs}
    scored = {
        arm: [{metric: value.mean for metric, value in means_of[path].items()} for path in paths]
        for arm, paths in arms.items()
    }
    return {"steps": first.config.train.steps, **scored}


def former_comparison(path: Path, config: Config) -> dict[str, Any]:
    """What a former release.json compares, with the recipe of its arms where this one differs.

    Args:
        path: that file.
        config: of the run that is released; of the same model.

    Returns:
        As `comparison`, and "recipe": key -> value of the former one, None where it was not set.

    Raises:
        ConfigError: it compares nothing, or another model, or cannot be read.
    """
    try:
        former = json.loads(path.read_text("utf-8"))
        arms, then = dict(former["comparison"]), former["config"]
        shape = then["model"] | {"frontend": None}
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{path}: cannot be read as a release.json. {error}") from error
    now = config.model_dump(mode="json")
    if not arms or shape != now["model"] | {"frontend": None}:
        raise ConfigError(
            f"{path}: compares {'another model' if arms else 'nothing'}. Expected the distilled "
            f"and the alone arm of the model {now['model']['name']!r} as it is now."
        )
    sections = {name: (then[name], now[name]) for name in ("data", "train", "loss")}
    sections["model.frontend"] = then["model"]["frontend"], now["model"]["frontend"]
    older = arms.get("recipe", {})  # that release had them from another one
    recipe = {}
    for section, (theirs, ours) in sections.items():
        for key, value in ours.items():
            name = f"{section}.{key}"
            trained_with = older.get(name, theirs.get(key))
            if key not in (*FOLDERS, "steps", "seed", "init") and trained_with != value:
                recipe[name] = trained_with
    return {**arms, "recipe": recipe}


def check_arm(run: RunDirectory, arm: str, first: RunDirectory) -> None:
    """Refuse a run that stands in the wrong arm, or was trained otherwise than the first.

    Raises:
        ConfigError: it is such a run.
    """
    if (run.config.distill.method == "none") != (arm == ALONE):
        raise ConfigError(
            f"{run.path}: was trained with distill.method={run.config.distill.method!r}, which "
            f"does not belong to the runs {arm}."
        )
    if run.config.train.init:
        raise ConfigError(
            f"{run.path}: began with the weights of {run.config.train.init}. Expected arms that "
            f"begin with random ones: train it without --init."
        )
    if budget(run.config) != budget(first.config):
        raise ConfigError(
            f"{run.path} and {first.path} differ in more than distillation and seed. Expected the "
            f"same model, data, loss and schedule."
        )


def budget(config: Config) -> dict[str, Any]:
    """All of a configuration that two arms must share."""
    shared = config.model_dump(exclude={"distill": True, "quantize": True, "train": {"seed"}})
    return dict(shared)


def arm_statistics(arms: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, Means]:
    """Per arm and metric mean and standard deviation over seeds; distilled - alone with its
    standard error, sqrt(s1^2 / n1 + s2^2 / n2)."""
    values = {
        arm: {metric: np.array([run[metric] for run in runs]) for metric in METRICS}
        for arm, runs in arms.items()
    }
    result: dict[str, Means] = {
        arm: {m: {"mean": float(v.mean()), "std": float(v.std(ddof=1))} for m, v in row.items()}
        for arm, row in values.items()
    }
    result["difference"] = {
        metric: {
            "mean": result[DISTILLED][metric]["mean"] - result[ALONE][metric]["mean"],
            "standard_error": float(
                np.sqrt(sum(row[metric].var(ddof=1) / len(row[metric]) for row in values.values()))
            ),
        }
        for metric in METRICS
    }
    return result


def means(evaluation: Evaluation, group: Sequence[PairScores]) -> dict[str, Means]:
    """System -> metric -> mean with interval, over a group of pairs."""
    return {system: as_dict(evaluation.means(system, group)) for system in evaluation.systems}


def as_dict(intervals: Mapping[str, Interval]) -> Means:
    return {
        metric: {
            "mean": value.mean,
            "half_width": value.half_width,
            "standard_error": value.standard_error,
        }
        for metric, value in intervals.items()
    }
