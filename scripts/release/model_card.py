"""release.json -> MODEL_CARD.md: every number of the card is one of the file's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from changed_input import table
from page_text import differences, intervals, template
from quality import ALONE, DISTILLED, NOISY, TFLM, arm_statistics

from tfkd.metrics import METRICS

JUDGES = ("pesq_wb", "estoi")
SPLITS = {
    "test": "Nothing was chosen by them; former releases were scored on them too.",
    "valid": "Epochs and recipes were chosen on recordings of this split: it is no test.",
}

Release = Mapping[str, Any]


def render(release: Release) -> str:
    """The card in Markdown."""
    scores = release["scores"]
    return template("model_card.md.j2").render(
        release=release,
        how=how(release),
        split_note=SPLITS[release["split"]],
        systems=[
            {"name": name, "cells": intervals(values)} for name, values in scores["systems"].items()
        ],
        differences=[
            {"name": name, "cells": differences(values)}
            for name, values in scores["differences"].items()
        ],
        others=against_others(release),
        by_snr=[
            {"snr": snr, "name": name, "cells": intervals(values)}
            for snr, group in sorted(scores["by_snr"].items(), key=lambda item: float(item[0]))
            for name, values in group["systems"].items()
        ],
        by_noise=[
            {"name": name, "pairs": group["pairs"], "cells": arrows(group["systems"])}
            for name, group in scores["by_noise"].items()
        ],
        behaviour=behaviour_lines(release["behaviour"]),
        changed_input=table(release["changed_input"]),
        comparison=compared(release),
        promises=release["promises"],
    )


def against_others(release: Release) -> list[dict[str, Any]]:
    """A row per other denoiser: its means, and by how much the release is better."""
    return [
        {
            "name": label,
            "cells": intervals(values["means"]),
            "differences": differences(values["released_better_by"]),
        }
        for label, values in release["others"].items()
    ]


def how(release: Release) -> str:
    """Method and schedule in a sentence, and another for each training before the last."""
    sentences, begun = [schedule(release["config"])], release.get("begun_with")
    while begun:
        sha, config = begun["sha256"][:16], begun["config"]
        known = "How that was trained is not known."
        if config:
            told = schedule(config)
            known = f"That one was {told[0].lower()}{told[1:]}"
        sentences.append(f"It began with the weights of an int8 model (SHA-256 {sha}...). {known}")
        begun = begun["begun_with"]
    return " ".join(sentences)


def schedule(config: Mapping[str, Any]) -> str:
    """Method and schedule of one training."""
    distill, train = config["distill"], config["train"]
    length = f"{train['steps']:,} steps of {train['batch']} x {config['data']['segment_s']:g} s"
    length += f", then {config['quantize']['steps']:,} quantisation-aware; seed {train['seed']}."
    if distill["method"] == "none":
        return f"Trained without a teacher: {length}"
    return (
        f"Distilled from the teacher ({distill['method']}, weight {distill['weight']:g}): {length}"
    )


def behaviour_lines(acts: Mapping[str, Any]) -> list[str]:
    """What was measured beside the scores, a line each."""
    lines = [
        f"Clean speech keeps PESQ-WB {acts['clean_pesq_mean']:.2f} (least "
        f"{acts['clean_pesq_least']:.2f}; {acts['files']} recordings).",
        f"Digital silence gives samples of at most {acts['silence_peak']:g}.",
        f"Input scaled to full scale comes out with a peak of {acts['loud_peak']:.2f}; of all "
        f"{acts['samples']:,} samples {acts['samples_beyond_full_scale']:,} lie beyond full scale "
        f"(`tfkd denoise` scales such a file, the C code saturates) and "
        f"{acts['samples_not_finite']:,} are not finite.",
        f"Driven 12 dB into clipping it gains {acts['clipped_si_sdr_gain_db']:.1f} dB of SI-SDR.",
        f"Input at -60 dBFS gains {acts['quiet_si_sdr_gain_db']:.1f} dB of SI-SDR.",
        f"Stationary white noise is changed by {acts['white_noise_db']:.0f} dB.",
    ]
    for name, key in (("Babble of six voices", "babble_db"), ("Music", "music_db")):
        if acts[key]:
            levels = ", ".join(f"{value:.0f}" for value in acts[key])
            lines.append(f"{name} without a speaker in front is changed by {levels} dB.")
    return lines


def compared(release: Release) -> str:
    """A table of mean and standard deviation over the seeds, and which arm is released."""
    compared_runs = release["comparison"]
    if not compared_runs:
        return "Not measured over several seeds."
    arms = {arm: compared_runs[arm] for arm in (DISTILLED, ALONE)}
    statistics = arm_statistics(arms)
    lines = [
        f"Float students after {compared_runs['steps']:,} steps, on the validation pairs: mean +-",
        f"standard deviation over seeds; the difference +- its standard error{former(release)}:",
        "",
        "| | seeds | PESQ-WB | STOI | ESTOI | SI-SDR, dB |",
        "|---|---|---|---|---|---|",
    ]
    for arm, runs in arms.items():
        cells = [
            f"{values['mean']:.{METRICS[m].digits}f} +- {values['std']:.{METRICS[m].digits}f}"
            for m, values in statistics[arm].items()
        ]
        lines.append(f"| {arm} | {len(runs)} | {' | '.join(cells)} |")
    gain = statistics["difference"]
    lines += [f"| {DISTILLED} - {ALONE} | | {' | '.join(differences(gain))} |", ""]
    released = ALONE if release["config"]["distill"]["method"] == "none" else DISTILLED
    lines.append(
        f"The released model was trained {'alone' if released == ALONE else 'by distillation'}; "
        f"{better_arm(gain)}"
    )
    if release.get("begun_with"):
        lines.append("Both arms began with random weights, the released model did not.")
    return "\n".join(lines)


def former(release: Release) -> str:
    """That the arms were trained by the recipe of a former release, and what that had."""
    recipe = release["comparison"].get("recipe")
    if not recipe:
        return ""
    values = ", ".join(
        f"`{key}` not set" if value is None else f"`{key} = {json.dumps(value)}`"
        for key, value in recipe.items()
    )
    return f". They were trained for a former release, with {values}"


def better_arm(gain: Mapping[str, Mapping[str, float]]) -> str:
    """The arm that both judges, quality and intelligibility, prefer; "mixed" where they do not.

    Args:
        gain: metric -> "mean" of distilled - alone.
    """
    judges = {METRICS[m].title: (gain[m]["mean"], METRICS[m].digits) for m in JUDGES}
    better = {name: DISTILLED if mean > 0.0 else ALONE for name, (mean, _) in judges.items()}
    by = {name: f"{abs(mean):.{digits}f}" for name, (mean, digits) in judges.items()}
    if len(set(better.values())) > 1:
        votes = ", ".join(f"{name} prefers '{better[name]}', by {by[name]}" for name in better)
        return f"which arm is better is mixed: {votes}."
    arm = next(iter(better.values()))
    return (
        f"by mean {' and '.join(better)} the better arm is '{arm}', by {' and '.join(by.values())}."
    )


def arrows(systems: Mapping[str, Any]) -> list[str]:
    """Noisy -> int8 on TFLite Micro."""
    return [
        f"{systems[NOISY][name]['mean']:.{metric.digits}f} -> "
        f"{systems[TFLM][name]['mean']:.{metric.digits}f}"
        for name, metric in METRICS.items()
    ]
