"""Gather everything of one model and write the page."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firmware_ref.targets import Target
from tfkd import audio, metrics
from tfkd.atomic import atomic_path
from tfkd.config_file import dump_config
from tfkd.errors import RunError
from tfkd.evaluate import ALL, NOISY, Evaluation, Pair, evaluate
from tfkd.frontend import band_features, stft
from tfkd.report.axis import category_axis, linear_axis
from tfkd.report.curves import read_curves
from tfkd.report.examples import CLEAN, Example, choose_pairs, make_examples
from tfkd.report.memory import Memory, read_memory
from tfkd.report.noise_chart import NoiseChart, noise_chart
from tfkd.report.page import render_page, reproduction
from tfkd.report.quality import metric_tables
from tfkd.report.spectrogram import FLOOR_DB, colour_stops, decibels, magnitudes, picture, wav
from tfkd.report.subject import Subject, open_subject
from tfkd.train.run_directory import RunDirectory, environment

if TYPE_CHECKING:
    from tfkd.models.budget import Budget

Progress = Callable[[str, float], AbstractContextManager[Callable[[float], None]]]
NOISE_SECONDS = 6.0


@contextmanager
def silent(label: str, total: float) -> Iterator[Callable[[float], None]]:
    """No progress bar."""
    yield lambda amount: None


@dataclass(frozen=True)
class WrittenReport:
    """What a page holds, in numbers."""

    path: Path
    size_bytes: int
    subject: Subject
    evaluation: Evaluation
    examples: Sequence[Example]
    memory: Memory | None

    def summary(self) -> dict[str, Any]:
        """The same as plain values."""
        report = self.memory.report if self.memory else None
        return {
            "file": str(self.path),
            "bytes": self.size_bytes,
            "model": self.subject.name,
            "pairs": len(self.evaluation.scores),
            "examples": [example.pair.name for example in self.examples],
            "systems": {
                system: {
                    metric: asdict(interval)
                    for metric, interval in self.evaluation.means(
                        system, self.evaluation.scores
                    ).items()
                }
                for system in self.evaluation.systems
            },
            "arena_min_bytes": report.plan.min_bytes if report else None,
            "macs_per_frame": report.macs if report else None,
            "target": report.fit.target.name if report and report.fit else None,
            "fits": report.fit.fits if report and report.fit else None,
        }


def make_report(
    reference: str | Path,
    output: str | Path,
    pairs: Sequence[Pair],
    *,
    corpus: str,
    command: Sequence[str],
    target: Target | None = None,
    jobs: int | None = None,
    progress: Progress = silent,
) -> WrittenReport:
    """Write one self-contained HTML page about a run or a model.

    Args:
        reference: a run directory, a folder with model.tflite, a .tflite, or a released name.
        output: the page; appears whole or not at all.
        pairs: noisy and clean recordings, to score and to hear.
        corpus: what the pairs are, in words.
        command: what the page names as the command that makes it.
        target: chip whose limits are shown.
        jobs: processes for the metrics; None for one per core.
        progress: (label, total) -> context that yields a function to advance by.

    Raises:
        ModelError, RunError: the model or run cannot be used.
        AudioError, CorpusError: a recording cannot be used.
        OSError: the page cannot be written; known before any work is done.
    """
    with atomic_path(output) as temporary:
        temporary.touch()  # a place that cannot be written to shows now, not after minutes of work
        with tempfile.TemporaryDirectory(prefix="tfkd-report-") as scratch:
            subject = open_subject(reference, Path(scratch))
            memory = read_memory(subject.tflite, target) if subject.tflite else None
            chosen = choose_pairs(pairs)
            with progress("listening", len(chosen)) as advance:
                examples = make_examples(chosen, subject.engines, advance)
            noise = _noise(subject, chosen[0], progress)
            with progress("scoring", len(pairs)) as advance:
                evaluation = evaluate(pairs, subject.engines, jobs, advance)
        recorded = _recorded_environment(subject.run) if subject.run else None
        costs = _budget(subject.run) if subject.run else None
        page = render_page(
            {
                "subject": subject,
                "frontend": next(iter(subject.engines.values())).frontend,
                "examples": [_example_content(example, subject) for example in examples],
                "floor_db": FLOOR_DB,
                "colours": colour_stops(),
                "metrics": metric_tables(evaluation),
                "pairs": len(evaluation.scores),
                "corpus": corpus,
                "headline": _headline(evaluation, subject),
                "noise": noise,
                "curves": read_curves(subject.run) if subject.run else [],
                "memory": memory,
                "budget": costs,
                "macs_per_frame": _macs_per_frame(memory, costs),
                "run_environment": recorded,
                "environment": environment(),
                "commands": reproduction(recorded["command"] if recorded else None, command),
                "configuration": dump_config(subject.run.config) if subject.run else "",
            }
        )
        size_bytes = temporary.write_bytes(page.encode("utf-8"))
    return WrittenReport(Path(output), size_bytes, subject, evaluation, examples, memory)


def _macs_per_frame(memory: Memory | None, costs: Budget | None) -> int:
    """Of the .tflite, or of a run that has none yet."""
    if memory:
        return memory.report.macs
    return costs.macs_per_frame if costs else 0


def _noise(subject: Subject, pair: Pair, progress: Progress) -> NoiseChart | None:
    """Float against int8 on the beginning of one recording; None where either is missing."""
    if not (subject.run and subject.streaming):
        return None
    from tfkd.quantization_noise import quantization_noise

    frontend = subject.streaming.frontend
    noisy = audio.read_mono(pair.noisy, metrics.SAMPLE_RATE)
    spectra = stft(noisy[: round(NOISE_SECONDS * metrics.SAMPLE_RATE)], frontend)
    features = band_features(spectra, frontend)
    with progress("comparing tensors", len(features)) as advance:
        rows = quantization_noise(subject.run, subject.streaming, features, advance)
    return noise_chart(rows, len(features) * frontend.hop_ms / 1000.0)


def _example_content(example: Example, subject: Subject) -> dict[str, Any]:
    """Sound and pictures of one example; 0 dB is the loudest bin of all its signals."""
    frontend = next(iter(subject.engines.values())).frontend
    spectra = {name: magnitudes(signal, frontend) for name, signal in example.signals.items()}
    loudest = max(float(values.max()) for values in spectra.values())
    last = list(example.masks)[-1]
    return {
        "x": linear_axis("", [], low=0.0, high=example.seconds, count=6, unit="s"),
        "bare_x": category_axis("", []),
        "y": linear_axis("", [], low=0.0, high=metrics.SAMPLE_RATE / 2000.0, count=2, unit="kHz"),
        "name": example.pair.name,
        "snr_db": example.pair.snr_db,
        "start_s": example.start_s,
        "seconds": example.seconds,
        "gain_db": example.gain_db,
        "tracks": [
            {
                "key": name,
                "label": {NOISY: "Noisy", CLEAN: "Clean"}.get(name, name),
                "sound": wav(signal, metrics.SAMPLE_RATE),
                "picture": picture(decibels(spectra[name], loudest)),
            }
            for name, signal in example.signals.items()
        ],
        "mask": {"system": last, "picture": picture(decibels(example.masks[last]))},
    }


def _headline(evaluation: Evaluation, subject: Subject) -> dict[str, Any]:
    """PESQ of the noisy input and of the last system, over all pairs."""
    everything = evaluation.groups()[ALL]
    system = list(subject.engines)[-1]
    return {
        "system": system,
        "noisy": evaluation.means(NOISY, everything),
        "enhanced": evaluation.means(system, everything),
    }


def _recorded_environment(run: RunDirectory) -> dict[str, Any]:
    """The run's env.json."""
    record = run.path / "env.json"
    try:
        content: dict[str, Any] = json.loads(record.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{record}: cannot be read ({error}).") from error
    return content


def _budget(run: RunDirectory) -> Budget:
    from tfkd.models.budget import budget

    return budget(run.config.model)
