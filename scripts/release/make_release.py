#!/usr/bin/env python
"""Convert, prove and score a trained student, and write tflite/NAME with its model card.

    scripts/release/make_release.py runs/RUN tflite/tiny --data DATA --alone runs/A --alone runs/B

DATA holds pairs/test and, if the card is to tell what music does, noise/test; manifest.csv beside
them names licences, SNRs and kinds of noise. Every number of MODEL_CARD.md comes from release.json,
which this writes beside it.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from tfkd import audio, metrics
from tfkd.cli.deployed import deployed
from tfkd.convert import convert_run
from tfkd.engines.choice import engine_factory
from tfkd.engines.streaming_model import read_streaming_model
from tfkd.enhance import enhance
from tfkd.evaluate import ALL, NOISY, Evaluation, PairScores, evaluate, find_pairs
from tfkd.metrics import Interval
from tfkd.train.run_directory import RunDirectory
from tfkd.verify import check, compare_engines, speech_like_features

DIGITS = {"pesq_wb": 3, "stoi": 3, "estoi": 3, "si_sdr": 2}
TEACHER, FLOAT, INT8, TFLM = "teacher, float", "float", "int8, TFLite", "int8, TFLite Micro"
VERIFIED_FRAMES = 500
BEHAVIOUR_PAIRS = 20
NAMED_NOISES = ("babble", "music")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--distilled", type=Path, action="append", default=[])
    parser.add_argument("--alone", type=Path, action="append", default=[])
    parser.add_argument("--commands", type=Path, help="text file: how the run was made")
    arguments = parser.parse_args()
    run, folder = RunDirectory.open(arguments.run), arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    convert_run(run, folder)
    release = {
        "schema": 1,
        "name": run.config.model.name,
        "model": deployed(folder / "model.tflite"),
        "verified": verified(folder),
        "test": scores(run, folder, arguments.data),
        "behaviour": behaviour(folder, arguments.data),
        "comparison": comparison(arguments.distilled, arguments.alone, arguments.data),
    }
    (folder / "release.json").write_text(json.dumps(release, indent=2) + "\n", "utf-8")
    card = render(release, run, arguments)
    (folder / "MODEL_CARD.md").write_text(card, "utf-8")
    print(folder / "MODEL_CARD.md")


def verified(folder: Path) -> dict[str, Any]:
    """Equal bits in TFLite Micro, TFLite and firmware_ref; raises where they differ."""
    model = read_streaming_model(folder / "model.tflite")
    features = speech_like_features(model.frontend, VERIFIED_FRAMES, seed=0)
    comparisons = compare_engines(model, ["tflite", "firmware-ref"], features)
    check(comparisons)
    return {"frames": VERIFIED_FRAMES, "values": sum(c.values for c in comparisons)}


def scores(run: RunDirectory, folder: Path, data: Path) -> dict[str, Any]:
    """Noisy, teacher, float and int8 on the test pairs."""
    teacher = run.config.distill.teacher or Path("tfkd/assets/teacher")
    engines = {
        TEACHER: engine_factory("keras", teacher)(),
        FLOAT: engine_factory("keras", run.path)(),
        INT8: engine_factory("tflite", folder)(),
        TFLM: engine_factory("tflm", folder)(),
    }
    evaluation = evaluate(find_pairs(*pair_folders(data, "test")), engines)
    kinds = noise_kinds(data)
    by_noise = defaultdict(list)
    for score in evaluation.scores:
        by_noise[kinds[Path(score.pair.name).name]].append(score)
    return {
        "pairs": len(evaluation.scores),
        "systems": {
            system: as_dict(evaluation.means(system, evaluation.scores))
            for system in evaluation.systems
        },
        "differences": {
            f"{one} - {other}": as_dict(evaluation.differences(one, other))
            for one, other in ((TFLM, NOISY), (TFLM, FLOAT), (TFLM, INT8), (FLOAT, TEACHER))
        },
        "by_snr": {
            name: changes(evaluation, group)
            for name, group in evaluation.groups().items()
            if name != ALL
        },
        "by_noise": {name: changes(evaluation, group) for name, group in sorted(by_noise.items())},
    }


def behaviour(folder: Path, data: Path) -> dict[str, float]:
    """What becomes of clean, silent, quiet and loud input, and of music."""
    engine = engine_factory("tflm", folder)()
    pairs = find_pairs(*pair_folders(data, "test"))[:BEHAVIOUR_PAIRS]
    clean, loud_peaks, quiet_gain = [], [], []
    for pair in pairs:
        speech = audio.read_mono(pair.clean, metrics.SAMPLE_RATE)
        noisy = audio.read_mono(pair.noisy, metrics.SAMPLE_RATE)
        clean.append(metrics.pesq_wb(speech, enhance(engine, speech)))
        loud_peaks.append(np.max(np.abs(enhance(engine, noisy / np.max(np.abs(noisy))))))
        quiet = noisy * 10.0 ** (-60.0 / 20.0) / rms(noisy)
        quiet_gain.append(metrics.si_sdr(speech, enhance(engine, quiet)))
        quiet_gain[-1] -= metrics.si_sdr(speech, noisy)
    started = time.process_time()
    seconds = 30.0
    noise = np.random.default_rng(0).normal(0.0, 0.05, round(seconds * metrics.SAMPLE_RATE))
    filtered = enhance(engine, noise.astype(np.float32))
    real_time_factor = (time.process_time() - started) / seconds
    music = [
        20.0 * np.log10(rms(enhance(engine, piece)) / rms(piece))
        for path in sorted((data / "noise" / "test").glob("music_*"))
        for piece in [audio.read_mono(path, metrics.SAMPLE_RATE)]
    ]
    silence = enhance(engine, np.zeros(metrics.SAMPLE_RATE, np.float32))
    return {
        "clean_pesq_mean": float(np.mean(clean)),
        "clean_pesq_least": float(np.min(clean)),
        "silence_peak": float(np.max(np.abs(silence))),
        "white_noise_db": float(20.0 * np.log10(rms(filtered[16000:]) / rms(noise[16000:]))),
        "loud_peak": float(np.max(loud_peaks)),
        "quiet_si_sdr_gain_db": float(np.mean(quiet_gain)),
        "music_db": [float(value) for value in music],
        "real_time_factor": real_time_factor,
        "files": len(pairs),
    }


def comparison(distilled: list[Path], alone: list[Path], data: Path) -> dict[str, Any]:
    """Float scores on the validation pairs of runs that differ in distillation and seed only."""
    pairs = find_pairs(*pair_folders(data, "valid"))
    arms: dict[str, list[dict[str, float]]] = {"distilled": [], "alone": []}
    for arm, runs in (("distilled", distilled), ("alone", alone)):
        for path in runs:
            evaluation = evaluate(pairs, {FLOAT: engine_factory("keras", path)()})
            means = evaluation.means(FLOAT, evaluation.scores)
            arms[arm].append({metric: means[metric].mean for metric in DIGITS})
    return arms


def render(release: Mapping[str, Any], run: RunDirectory, arguments: argparse.Namespace) -> str:
    """The card in Markdown."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Markdown  # noqa: S701
        keep_trailing_newline=True,
    )
    config = run.config
    test, acts = release["test"], release["behaviour"]
    music = [f"{value:.0f}" for value in acts["music_db"]]
    lines = [
        f"Clean speech keeps PESQ {acts['clean_pesq_mean']:.2f} "
        f"(least {acts['clean_pesq_least']:.2f}; {acts['files']} recordings).",
        f"Digital silence gives samples of at most {acts['silence_peak']:g}.",
        f"Stationary white noise is changed by {acts['white_noise_db']:.0f} dB.",
        f"Input driven to full scale comes out with a peak of {acts['loud_peak']:.2f}; written "
        f"files are limited to full scale.",
        f"Input at -60 dBFS still gains {acts['quiet_si_sdr_gain_db']:.1f} dB of SI-SDR.",
        *([f"Music without speech is changed by {', '.join(music)} dB."] if music else []),
    ]
    return environment.get_template("model_card.md.j2").render(
        name=release["name"],
        how=how(config),
        model=release["model"],
        parameters=parameters(run),
        bands=config.model.frontend.bands,
        real_time_factor=acts["real_time_factor"],
        machine=platform.machine(),
        verified=f"{release['verified']['values']:,} values of every tensor over "
        f"{release['verified']['frames']} frames: TFLite Micro = TFLite = firmware_ref",
        test={
            "pairs": test["pairs"],
            "systems": [
                {"name": name, "cells": [interval(means[m], d) for m, d in DIGITS.items()]}
                for name, means in test["systems"].items()
            ],
            "differences": [
                {"name": name, "cells": [difference(values[m], d) for m, d in DIGITS.items()]}
                for name, values in test["differences"].items()
            ],
            "by_snr": [{"name": name, "cells": arrows(row)} for name, row in by_number(test)],
            "by_noise": [
                {"name": name, "pairs": row["pairs"], "cells": arrows(row)}
                for name, row in test["by_noise"].items()
            ],
        },
        behaviour=lines,
        comparison=compared(release["comparison"]),
        commands=arguments.commands.read_text("utf-8").strip() if arguments.commands else "",
        environment=f"Python {platform.python_version()}, the versions of requirements.txt.",
        sources=sources(arguments.data),
    )


def how(config: Any) -> str:
    distill = config.distill
    schedule = f"{config.train.steps:,} steps of {config.train.batch} x {config.data.segment_s:g} s"
    schedule += f", then {config.quantize.steps:,} quantisation-aware; seed {config.train.seed}."
    if distill.method == "none":
        return f"Trained without a teacher: {schedule}"
    return f"Distilled from the teacher ({distill.method}, weight {distill.weight:g}): {schedule}"


def compared(arms: Mapping[str, list[dict[str, float]]]) -> str:
    """A table of mean and standard deviation over the seeds."""
    if not all(arms.values()):
        return "Not measured for this model."
    lines = ["Float students on the validation pairs, mean +- standard deviation over seeds:", ""]
    lines += ["| | seeds | PESQ-WB | STOI | ESTOI | SI-SDR, dB |", "|---|---|---|---|---|---|"]
    for arm, runs in arms.items():
        cells = [
            f"{np.mean([r[m] for r in runs]):.{d}f} +- {np.std([r[m] for r in runs], ddof=1):.{d}f}"
            for m, d in DIGITS.items()
        ]
        lines.append(f"| {arm} | {len(runs)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def pair_folders(data: Path, split: str) -> tuple[Path, Path]:
    return data / "pairs" / split / "noisy", data / "pairs" / split / "clean"


def noise_kinds(data: Path) -> dict[str, str]:
    """File stem of a noisy recording -> kind of its noise: babble, music or other."""
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return {
            Path(row["path"]).stem: next(
                (kind for kind in NAMED_NOISES if kind in row["speaker_or_class"]), "other"
            )
            for row in csv.DictReader(file)
            if row["kind"] == "pair-noisy"
        }


def sources(data: Path) -> list[dict[str, Any]]:
    """Training recordings by source: files, licences, authors."""
    grouped: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["split"] == "train" and row["kind"] in ("speech", "noise", "rir"):
                grouped[row["source"].split(" (")[0].split(";")[0]].append(row)
    return [
        {
            "source": source,
            "files": len(rows),
            "licence": "; ".join(unique(row["licence"] for row in rows)),
            "attribution": "; ".join(unique(row["attribution"] for row in rows)),
        }
        for source, rows in sorted(grouped.items())
    ]


def unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(value.replace("|", "/") for value in values if value))


def parameters(run: RunDirectory) -> int:
    from tfkd.models.blocks import Form
    from tfkd.models.dae import build_dae

    return int(build_dae(run.config.model, Form.DEPLOYED, frames=8).count_params())


def changes(evaluation: Evaluation, group: list[PairScores]) -> dict[str, Any]:
    """Mean of noisy and of int8 on TFLite Micro over a group of pairs."""
    before, after = (evaluation.means(system, group) for system in (NOISY, TFLM))
    return {"pairs": len(group), **{m: [before[m].mean, after[m].mean] for m in DIGITS}}


def by_number(test: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(test["by_snr"].items(), key=lambda item: float(item[0]))


def arrows(row: Mapping[str, Any]) -> list[str]:
    return [f"{row[m][0]:.{d}f} -> {row[m][1]:.{d}f}" for m, d in DIGITS.items()]


def interval(value: Mapping[str, float], digits: int) -> str:
    return f"{value['mean']:.{digits}f} +- {value['half_width']:.{digits}f}"


def difference(value: Mapping[str, float], digits: int) -> str:
    return f"{value['mean']:+.{digits}f} +- {value['standard_error']:.{digits}f}"


def as_dict(intervals: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {
        metric: {
            "mean": value.mean,
            "half_width": value.half_width,
            "standard_error": value.standard_error,
        }
        for metric, value in intervals.items()
    }


def rms(waveform: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))) + 1e-12)


if __name__ == "__main__":
    main()
