"""Score a model on pairs of noisy and clean recordings, per SNR and with confidence."""

from __future__ import annotations

import math
import multiprocessing
import os
import re
import signal
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfkd import audio, metrics
from tfkd.data.manifest import read_manifest
from tfkd.engines.engine import Engine
from tfkd.enhance import enhance
from tfkd.errors import CorpusError, ModelError
from tfkd.metrics import Interval, mean_interval

Floats = NDArray[np.float32]

NOISY = "noisy"
ALL = "all"
_SNR_IN_NAME = re.compile(r"snr(m?)(-?\d+(?:\.\d+)?)", re.IGNORECASE)
_LENGTH_TOLERANCE = 0.02  # s; partners may differ by a codec's padding


@dataclass(frozen=True)
class Pair:
    """A noisy recording with its clean partner; `snr_db` is None when it is not known."""

    name: str
    noisy: Path
    clean: Path
    snr_db: float | None


@dataclass(frozen=True)
class PairScores:
    """Metric values of one pair: system -> metric -> value."""

    pair: Pair
    systems: Mapping[str, Mapping[str, float]]

    def compares(self, metric: str) -> bool:
        """Whether every system has a value of this metric."""
        return all(math.isfinite(values[metric]) for values in self.systems.values())


@dataclass(frozen=True)
class Evaluation:
    """All scores, and what they come to."""

    systems: tuple[str, ...]
    scores: tuple[PairScores, ...] = field(repr=False)

    def groups(self) -> dict[str, list[PairScores]]:
        """Scores by SNR in dB ("-5", "0", ...), then all of them under "all"."""
        grouped: dict[str, list[PairScores]] = {}
        known = [(s.pair.snr_db, s) for s in self.scores if s.pair.snr_db is not None]
        for snr_db, scores in sorted(known, key=lambda pair: pair[0]):
            grouped.setdefault(f"{snr_db + 0.0:g}", []).append(scores)  # -0 is 0
        return {**grouped, ALL: list(self.scores)}

    def means(self, system: str, group: Sequence[PairScores]) -> dict[str, Interval]:
        """Metric -> mean with its 95 % interval, over the pairs that have a value for every system.

        So the means of all systems are over the same pairs; the others count as undefined.
        """
        return {
            metric: mean_interval(
                scores.systems[system][metric] if scores.compares(metric) else math.nan
                for scores in group
            )
            for metric in metrics.METRICS
        }

    def left_out(self, metric: str) -> int:
        """Pairs that the means leave out, because a system has no value there."""
        return sum(not scores.compares(metric) for scores in self.scores)

    def comparisons(self) -> list[tuple[str, str]]:
        """Every system against all that precede it: noisy, then float, then int8."""
        return [
            (later, former) for i, later in enumerate(self.systems) for former in self.systems[:i]
        ]

    def differences(self, system: str, reference: str) -> dict[str, Interval]:
        """Metric -> mean paired difference over all pairs, with its standard error."""
        return {
            metric: mean_interval(
                scores.systems[system][metric] - scores.systems[reference][metric]
                for scores in self.scores
            )
            for metric in metrics.METRICS
        }


def find_pairs(
    noisy: str | Path, clean: str | Path, manifest: str | Path | None = None
) -> list[Pair]:
    """Match two folders by file name (the extension may differ).

    Args:
        noisy: folder of noisy recordings.
        clean: folder of their clean partners.
        manifest: CSV with the columns `path`, relative to its own folder, and `snr_db`; what it
            does not know, "snr05" or "snrm05" in a file's name says: 5 or -5 dB.

    Raises:
        CorpusError: a partner is missing, a name occurs twice, or the manifest is unusable.
        AudioError: a folder is missing or holds no audio.
    """
    noisy_files = _by_name(Path(noisy))
    clean_files = _by_name(Path(clean))
    orphans = sorted(noisy_files.keys() - clean_files.keys())
    if orphans:
        raise CorpusError(
            f"{clean}: {len(orphans)} of {len(noisy_files)} noisy recordings have no clean partner "
            f"of the same name, the first is {noisy_files[orphans[0]].name}."
        )
    known = _manifest_snrs(Path(manifest)) if manifest else lambda path: None
    pairs = []
    for name, path in sorted(noisy_files.items()):
        snr_db = known(path)
        if snr_db is None:
            snr_db = _snr_in_name(path.stem)
        pairs.append(Pair(name, path, clean_files[name], snr_db))
    return pairs


def find_others(folder: str | Path, pairs: Sequence[Pair]) -> dict[str, Path]:
    """What another denoiser made of the noisy recordings: name of the pair -> file.

    Args:
        folder: holds a recording for each noisy one, of the same name (the extension may differ).
        pairs: from `find_pairs`.

    Raises:
        CorpusError: one is missing, or a name occurs twice.
        AudioError: the folder is missing or holds no audio.
    """
    files = _by_name(Path(folder))
    missing = [pair.name for pair in pairs if pair.name not in files]
    if missing:
        raise CorpusError(
            f"{folder}: {len(missing)} of {len(pairs)} noisy recordings have no partner of the "
            f"same name, the first is {missing[0]}. Expected the output of another denoiser for "
            f"each."
        )
    return {pair.name: files[pair.name] for pair in pairs}


def evaluate(
    pairs: Sequence[Pair],
    engines: Mapping[str, Engine],
    jobs: int | None = None,
    advance: Callable[[float], None] = lambda pairs: None,
    *,
    others: Mapping[str, Mapping[str, Path]] | None = None,
) -> Evaluation:
    """Enhance every pair with every engine and score it, and the noisy input, against the clean.

    The engines run in this process, the metrics in `jobs` others, which import no TensorFlow.

    Args:
        pairs: what to score.
        engines: system name -> engine; all must share one sample rate, that of the metrics.
        jobs: processes for the metrics; None for one per core.
        advance: is told the number of pairs done since its last call.
        others: system name -> recordings that another denoiser made, from `find_others`; they are
            compared as they are, so a delay counts against them.

    Raises:
        AudioError: a recording is unusable.
        CorpusError: partners differ in length, or the metrics crash on one.
        ModelError: see `check_sample_rates`.
    """
    check_sample_rates(engines)
    others = others or {}
    systems = (NOISY, *engines, *others)
    results: dict[str, PairScores] = {}
    jobs = jobs or os.cpu_count() or 1
    with scoring_processes(jobs) as pool:
        pending: dict[Future[dict[str, dict[str, float]]], Pair] = {}

        def collect(limit: int) -> None:
            while len(pending) > limit:
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    pair = pending[future]
                    results[pair.name] = PairScores(pair, future.result())
                    del pending[future]
                    advance(1)

        try:
            for pair in pairs:
                clean, noisy = read_pair(pair)
                signals = {NOISY: noisy}
                for name, engine in engines.items():
                    signals[name] = enhance(engine, noisy)
                for name, files in others.items():
                    signals[name] = _read_other(files[pair.name], len(noisy))
                pending[pool.submit(_score, clean, signals)] = pair
                collect(limit=2 * jobs)  # bounds the waveforms that wait in memory
            collect(limit=0)
        except BrokenProcessPool as error:
            names = ", ".join(sorted(pair.name for pair in pending.values()))
            raise CorpusError(
                f"the metrics crashed or ran out of memory on one of these: {names}. Cut long "
                f"recordings, or leave them out."
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return Evaluation(systems, tuple(results[pair.name] for pair in pairs))


def check_sample_rates(engines: Mapping[str, Engine]) -> None:
    """Refuse models of another rate than the metrics'.

    Raises:
        ModelError: names the first one.
    """
    for name, engine in engines.items():
        if engine.frontend.sample_rate != metrics.SAMPLE_RATE:
            raise ModelError(
                f"the {name} model works at {engine.frontend.sample_rate} Hz, but quality is "
                f"measured at {metrics.SAMPLE_RATE} Hz. Expected a model of that rate."
            )


def scoring_processes(count: int) -> ProcessPoolExecutor:
    """Processes that leave Ctrl-C to this one: each would print a traceback of its own. They end
    with it, even where it is killed.
    """
    return ProcessPoolExecutor(
        count, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_to_score
    )


def _begin_to_score() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end_with_parent() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def _score(clean: Floats, signals: Mapping[str, Floats]) -> dict[str, dict[str, float]]:
    """Metrics of every system; bit-equal signals (TFLite and TFLM, as a rule) are scored once."""
    scores: dict[str, dict[str, float]] = {}
    seen: dict[bytes, dict[str, float]] = {}
    for name, samples in signals.items():
        key = samples.tobytes()
        if key not in seen:
            seen[key] = metrics.score(clean, samples)
        scores[name] = seen[key]
    return scores


def read_pair(pair: Pair) -> tuple[Floats, Floats]:
    """Clean and noisy recording, each [samples] at the metrics' rate, of equal length.

    Raises:
        AudioError: a recording is unusable.
        CorpusError: they differ in length by more than a codec's padding.
    """
    clean = audio.read_mono(pair.clean, metrics.SAMPLE_RATE)
    noisy = audio.read_mono(pair.noisy, metrics.SAMPLE_RATE)
    if abs(len(clean) - len(noisy)) > _LENGTH_TOLERANCE * metrics.SAMPLE_RATE:
        raise CorpusError(
            f"{pair.noisy} and {pair.clean} are no partners: they last "
            f"{len(noisy) / metrics.SAMPLE_RATE:.2f} s and "
            f"{len(clean) / metrics.SAMPLE_RATE:.2f} s. Expected equal lengths."
        )
    length = min(len(clean), len(noisy))
    return clean[:length], noisy[:length]


def _read_other(path: Path, samples: int) -> Floats:
    """A recording [samples] at the metrics' rate, cut or padded by what a codec may add or drop.

    Raises:
        AudioError: it is unusable.
        CorpusError: its length differs by more.
    """
    waveform = audio.read_mono(path, metrics.SAMPLE_RATE)
    if abs(len(waveform) - samples) > _LENGTH_TOLERANCE * metrics.SAMPLE_RATE:
        raise CorpusError(
            f"{path}: lasts {len(waveform) / metrics.SAMPLE_RATE:.2f} s. Expected the "
            f"{samples / metrics.SAMPLE_RATE:.2f} s of the noisy recording."
        )
    return np.pad(waveform[:samples], (0, max(samples - len(waveform), 0)))


def _by_name(folder: Path) -> dict[str, Path]:
    """Recordings by relative path without extension."""
    named: dict[str, Path] = {}
    for path in audio.audio_files(folder):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in named:
            raise CorpusError(f"{named[name]} and {path} have the same name. Keep one of them.")
        named[name] = path
    return named


def _snr_in_name(stem: str) -> float | None:
    found = _SNR_IN_NAME.search(stem)
    if not found:
        return None
    return float(found[2]) * (-1.0 if found[1] else 1.0)


def _manifest_snrs(manifest: Path) -> Callable[[Path], float | None]:
    """A function from a recording to its SNR, by its path, else by its name where that is clear."""
    by_path: dict[Path, float] = {}
    by_stem: dict[str, set[float]] = defaultdict(set)
    for path, row in read_manifest(manifest, ("path", "snr_db")).items():
        if row["snr_db"]:
            try:
                snr_db = float(row["snr_db"])
            except ValueError:
                snr_db = math.nan
            if not math.isfinite(snr_db):
                raise CorpusError(
                    f"{manifest}: the SNR of {row['path']} is no number. Expected decibels in the "
                    f"column 'snr_db', or nothing. Received: {row['snr_db']!r}."
                )
            by_path[path] = snr_db
            by_stem[path.stem].add(snr_db)

    def known(path: Path) -> float | None:
        alike = by_stem.get(path.stem, set())
        return by_path.get(path.resolve(), next(iter(alike)) if len(alike) == 1 else None)

    return known
