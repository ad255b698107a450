"""Everything of a student's release: conversion, proof, scores, card."""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from behaviour import behaviour
from changed_input import changed_input
from corpus_manifest import noise_kinds, read_manifest, speakers_of_pairs, training_sources
from model_card import render
from quality import FLOAT, TFLM, against_others, comparison, former_comparison, scores

import tfkd
from tfkd.atomic import atomic_path
from tfkd.c_denoiser import c_sources
from tfkd.cli.deployed import deployed
from tfkd.cli.output import finite
from tfkd.convert import convert_run
from tfkd.engines.choice import engine_factory
from tfkd.engines.streaming_model import read_streaming_model
from tfkd.engines.tflm import ARENA_BYTES
from tfkd.engines.tflm_arena import tflm_arena_use
from tfkd.errors import ConfigError, RunError, VerificationError
from tfkd.evaluate import Pair, find_others, find_pairs
from tfkd.models.blocks import Form
from tfkd.models.dae import build_dae
from tfkd.released import MODEL_FILE, released_folders
from tfkd.train.run_directory import RunDirectory
from tfkd.verify import check, compare_engines, speech_like_features

SHIPPED_TEACHER = Path(tfkd.__file__).parent / "assets" / "teacher"
VERIFIED_FRAMES = 500
BEHAVIOUR_PAIRS = 20

Release = dict[str, Any]

PROMISES: Mapping[str, tuple[Callable[[Release], float], Callable[[float], bool]]] = {
    "clean speech keeps PESQ-WB 4.0": (
        lambda release: release["behaviour"]["clean_pesq_mean"],
        lambda value: value >= 4.0,
    ),
    "silence stays below one step of 16 bits": (
        lambda release: release["behaviour"]["silence_peak"],
        lambda value: value < 2.0**-15,
    ),
    "no output is NaN or infinite": (
        lambda release: release["behaviour"]["samples_not_finite"],
        lambda value: value == 0,
    ),
    "PESQ-WB of int8 - float is at least -0.02": (
        lambda release: int8_change(release, "pesq_wb"),
        lambda value: value >= -0.02,
    ),
    "SI-SDR of int8 - float is at least -0.1 dB": (
        lambda release: int8_change(release, "si_sdr"),
        lambda value: value >= -0.1,
    ),
}
"""Text -> what is measured for it, and when it is kept."""


def release_student(arguments: argparse.Namespace) -> list[str]:
    """Write the folder; returns the promises that were not kept."""
    run, folder, data = RunDirectory.open(arguments.run), arguments.folder, arguments.data
    if run.state() != "finished":
        raise RunError(f"{run.path}: is not finished. Go on with `tfkd train --resume {run.path}`.")
    rows = read_manifest(data / "manifest.csv")
    sources = training_sources(rows)  # a licence that forbids comes before hours of work
    pairs = pairs_of(data, arguments.split)
    others = {label: find_others(outputs, pairs) for label, outputs in arguments.other}
    if arguments.comparison_of and (arguments.distilled or arguments.alone):
        raise ConfigError("give the runs of both arms or --comparison-of, not both.")
    arms = comparison(arguments.distilled, arguments.alone, pairs_of(data, "valid"))
    if arguments.comparison_of:
        arms = former_comparison(arguments.comparison_of, run.config)
    begun = begun_with(run)  # perhaps with what the folder still holds
    folder.mkdir(parents=True, exist_ok=True)
    convert_run(run, folder)
    c_sources(folder / "model.tflite").write(folder / "c")
    teacher = Path(run.config.distill.teacher or SHIPPED_TEACHER)
    music = sorted((data / "noise" / arguments.split).glob("music_*"))
    release: Release = {
        "schema": 4,
        "name": run.config.model.name,
        "split": arguments.split,
        "model": {k: v for k, v in deployed(folder / "model.tflite").items() if k != "path"},
        "parameters": parameters(run),
        "verified": verified(folder),
        "scores": scores(run, folder, teacher, pairs, noise_kinds(rows)),
        "others": against_others(folder, pairs, others),
        "speakers": speakers_of_pairs(rows, (pair.noisy.stem for pair in pairs)),
        "behaviour": behaviour(engine_factory("tflm", folder)(), pairs[:BEHAVIOUR_PAIRS], music),
        "changed_input": changed_input(engine_factory("c", folder)(), pairs),
        "comparison": arms,
        "config": portable_config(run),
        "begun_with": begun,
        "environment": environment(run),
        "commands": arguments.commands or recorded_command(run),
        "sources": sources,
    }
    release["promises"] = [
        {"text": text, "measured": measure(release), "kept": bool(kept(measure(release)))}
        for text, (measure, kept) in PROMISES.items()
    ]
    write_release(folder, release)
    return [promise["text"] for promise in release["promises"] if not promise["kept"]]


def write_release(folder: Path, release: Release) -> None:
    """The figures, and the card that tells them."""
    write(folder / "MODEL_CARD.md", render(release))
    write(folder / "release.json", json.dumps(finite(release), indent=2) + "\n")


def pairs_of(data: Path, split: str) -> list[Pair]:
    return find_pairs(data / "pairs" / split / "noisy", data / "pairs" / split / "clean")


def int8_change(release: Release, metric: str) -> float:
    return float(release["scores"]["differences"][f"{TFLM} - {FLOAT}"][metric]["mean"])


def verified(folder: Path) -> dict[str, int]:
    """Equal bits in TFLite Micro, TFLite and firmware_ref, and the predicted arena.

    Raises:
        VerificationError: they differ.
    """
    model = read_streaming_model(folder / "model.tflite")
    features = speech_like_features(model.frontend, VERIFIED_FRAMES, seed=0)
    comparisons = compare_engines(model, ["tflite", "firmware-ref"], features)
    check(comparisons)
    memory = json.loads((folder / "memory.json").read_text("utf-8"))["x86_64-wheel"]
    reported = tflm_arena_use(model, ARENA_BYTES).total_bytes
    if reported != memory["total_bytes"]:
        raise VerificationError(
            f"TFLite Micro uses an arena of {reported} bytes; {memory['total_bytes']} predicted."
        )
    return {
        "frames": VERIFIED_FRAMES,
        "values": sum(c.values for c in comparisons),
        "arena_bytes": reported,
    }


def parameters(run: RunDirectory) -> int:
    return int(build_dae(run.config.model, Form.DEPLOYED, frames=8).count_params())


def portable_config(run: RunDirectory) -> dict[str, Any]:
    """The configuration, folders by their last name."""
    config = run.config.model_dump(mode="json", exclude_none=True)
    for section, keys in (
        ("data", ("speech", "noise", "rir", "noisy", "clean")),
        ("distill", ("teacher",)),
        ("train", ("init",)),
    ):
        for key in keys:
            if key in config[section]:
                config[section][key] = Path(config[section][key]).name
    return config


def begun_with(run: RunDirectory) -> Release | None:
    """Which .tflite the training began with, and how that was trained, if it is known.

    A run's training is known, and that of a released model that is still the same one.

    Returns:
        "sha256" of the .tflite; "config" and "begun_with" of its own training, None if unknown.
        None for a training that began with random weights.
    """
    init = run.config.train.init
    if not init:
        return None
    begun: Release = {"sha256": sha256(run.initial_weights), "config": None, "begun_with": None}
    released = released_folders().get(init)
    if released and sha256(released / MODEL_FILE) == begun["sha256"]:
        former = json.loads((released / "release.json").read_text("utf-8"))
        begun |= {"config": former["config"], "begun_with": former.get("begun_with")}
    elif (Path(init) / "run.json").is_file():
        stage = RunDirectory.open(init)
        begun |= {"config": portable_config(stage), "begun_with": begun_with(stage)}
    return begun


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recorded_command(run: RunDirectory) -> str:
    """The command that began the run, paths by their last name."""
    words = json.loads((run.path / "env.json").read_text("utf-8"))["command"]
    return shlex.join(Path(word).name if "/" in word else word for word in words)


def environment(run: RunDirectory) -> dict[str, Any]:
    """What the run was made with, and the machine that scored it."""
    record = json.loads((run.path / "env.json").read_text("utf-8"))
    git = record["git"] or ""
    changed = " with changes" if git.endswith("+") else ""
    commit = f" at commit {git[:10]}{changed}" if git else ""
    packages = ", ".join(f"{name} {version}" for name, version in record["packages"].items())
    return {
        "git": record["git"],
        "packages": record["packages"],
        "machine": platform.machine(),
        "text": f"tfkd {record['tfkd']}{commit}, Python {record['python']}, {packages}.",
    }


def write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, "utf-8")
