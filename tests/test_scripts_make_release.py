"""scripts/release/make_release.py: a released folder whose card has measured figures alone."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from release_corpus import LICENCE, release_corpus

from tfkd.config_file import load_config
from tfkd.errors import ConfigError, CorpusError
from tfkd.released import released_folders
from tfkd.train.run_directory import RunDirectory

SCRIPTS = Path(__file__).parent.parent / "scripts" / "release"
SYSTEMS = ["noisy", "teacher, float", "float", "int8, TFLite", "int8, TFLite Micro"]


@pytest.fixture
def script(monkeypatch):
    """Import a module that lies beside make_release.py."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return lambda name: __import__(name)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return release_corpus(tmp_path_factory.mktemp("data"))


def set_distillation(run: Path, **values: str) -> None:
    """Write keys of [distill] into a run's configuration."""
    path = run / "config.toml"
    text = path.read_text()
    for key, value in values.items():
        text = re.sub(f'^{key} = "cosine"\n', "", text, flags=re.MULTILINE)
        text = text.replace("[distill]\n", f'[distill]\n{key} = "{value}"\n')
    path.write_text(text)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    """A teacher and four students that differ in seed and method."""
    from small_run import small_run

    folder = tmp_path_factory.mktemp("runs")
    paths = {name: small_run(folder, seed).path for seed, name in enumerate(("teacher", "a", "b"))}
    paths |= {
        "c": shutil.copytree(paths["teacher"], folder / "c"),
        "d": shutil.copytree(paths["b"], folder / "d"),
    }
    for name in "ab":
        set_distillation(paths[name], teacher=str(paths["teacher"]))
    for name in "cd":
        set_distillation(paths[name], method="none")
    return paths


def make_release(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / "make_release.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def released(runs, data, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("released") / "tiny"
    arms = ("--distilled", runs["a"], "--distilled", runs["b"], "--alone", runs["c"])
    arms += ("--alone", runs["d"])
    other = ("--other", f"idle={data / 'pairs' / 'valid' / 'noisy'}")
    done = make_release(runs["a"], folder, "--data", data, "--split", "valid", *arms, *other)
    assert done.returncode in (0, 3), done.stderr
    return folder, done


@pytest.mark.slow
@pytest.mark.oracle
def test_the_folder_is_whole(released):
    folder, done = released
    assert sorted(path.name for path in folder.iterdir()) == [
        *("MODEL_CARD.md", "c", "memory.json", "model.tflite", "model_data.cc", "model_data.h"),
        *("model_ops.h", "release.json"),
    ]
    assert (folder / "c" / "denoiser.h").is_file()
    assert done.stdout == f"{folder / 'MODEL_CARD.md'}\n"


@pytest.mark.slow
@pytest.mark.oracle
def test_the_card_tells_what_was_measured(released, runs, data):
    folder, done = released
    card = (folder / "MODEL_CARD.md").read_text()
    release = json.loads((folder / "release.json").read_text())
    memory = json.loads((folder / "memory.json").read_text())
    assert f"| model.tflite | {(folder / 'model.tflite').stat().st_size:,} bytes |" in card
    assert f"{memory['cortex-m']['total_bytes']:,} bytes used" in card
    assert f"{memory['cortex-m']['min_bytes']:,} needed" in card
    assert f"{memory['x86_64-wheel']['total_bytes']:,} bytes used, as predicted" in card
    scores = release["scores"]
    assert (scores["pairs"], list(scores["systems"])) == (6, SYSTEMS)
    assert {snr: group["pairs"] for snr, group in scores["by_snr"].items()} == {"5": 3, "-5": 3}
    assert {kind: g["pairs"] for kind, g in scores["by_noise"].items()} == {
        **{"babble": 2, "music": 1, "other": 3}
    }
    rows = re.findall(r"^\| (-?5) \| ([^|]+) \| [-\d.]+ \+- [\d.]+ \|", card, re.MULTILINE)
    assert rows == [(snr, system) for snr in ("-5", "5") for system in SYSTEMS]
    assert scores["by_noise"]["music"]["systems"]["float"]["stoi"]["half_width"] is None  # one pair
    noisy = scores["systems"]["noisy"]["si_sdr"]
    assert f"{noisy['mean']:.2f} +- {noisy['half_width']:.2f} |\n" in card
    assert release["speakers"] == {"all": 3, "trained_on": 0}
    assert "it is no test" in card
    broken = {p["text"] for p in release["promises"] if not p["kept"]}
    assert set(re.findall("^not kept: (.*)$", done.stderr, re.MULTILINE)) == broken
    assert card.count("**not kept**") == len(broken)
    assert done.returncode == (3 if broken else 0)


@pytest.mark.slow
@pytest.mark.oracle
def test_another_denoiser_is_compared(released):
    release = json.loads((released[0] / "release.json").read_text())
    scores, idle = release["scores"], release["others"]["idle"]  # what does nothing
    for metric in idle["means"]:  # scored in a process of its own: the last bit may differ
        expected = scores["systems"]["noisy"][metric]
        assert idle["means"][metric] == pytest.approx(expected)
        expected = scores["differences"]["int8, TFLite Micro - noisy"][metric]
        assert idle["released_better_by"][metric] == pytest.approx(expected)
    card = (released[0] / "MODEL_CARD.md").read_text()
    assert f"| idle | {idle['means']['pesq_wb']['mean']:.3f} +- " in card
    assert f"- idle | {idle['released_better_by']['pesq_wb']['mean']:+.3f} +- " in card


@pytest.mark.slow
@pytest.mark.oracle
def test_a_released_student_is_compared_later(released, data, tmp_path):
    folder = shutil.copytree(released[0], tmp_path / "tiny")
    command = [sys.executable, str(SCRIPTS / "compare_others.py"), str(folder), "--data", str(data)]
    command += ["--other", f"still={data / 'pairs' / 'valid' / 'noisy'}"]
    subprocess.run(command, check=True, capture_output=True)
    before, after = (json.loads((f / "release.json").read_text()) for f in (released[0], folder))
    still, idle = after["others"]["still"], before["others"]["idle"]
    for metric, values in idle["released_better_by"].items():
        assert still["released_better_by"][metric] == pytest.approx(values)
    assert after | {"others": before["others"]} == before
    assert "- still | " in (folder / "MODEL_CARD.md").read_text()
    (folder / "release.json").unlink()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "\nError: " in f"\n{done.stderr}" and "Traceback" not in done.stderr


def test_another_denoiser_needs_a_label(script, capsys, monkeypatch, tmp_path):
    words = ["make_release.py", "run", str(tmp_path / "out"), "--data", "d", "--other", "outputs"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit):
        script("make_release").main()
    assert "expected LABEL=DIR. Received: 'outputs'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.oracle
def test_behaviour_is_that_of_the_model(released):
    acts = json.loads((released[0] / "release.json").read_text())["behaviour"]
    assert acts["files"] == 6 and len(acts["babble_db"]) == len(acts["music_db"]) == 1
    assert acts["samples_not_finite"] == 0 and acts["silence_peak"] < 2**-15
    assert all(-80 < value < 0 for value in (*acts["babble_db"], *acts["music_db"]))
    assert 0 < acts["real_time_factor"] < 1


@pytest.mark.slow
@pytest.mark.oracle
def test_changed_input_stands_in_the_card(released, script):
    release = json.loads((released[0] / "release.json").read_text())
    costs = release["changed_input"]
    assert list(costs) == list(script("changed_input").CHANGES)
    for values in costs.values():
        assert values["difference"] == pytest.approx(values["before"] - values["after"])
        assert 1.0 <= values["noisy"] <= 4.65 and values["standard_error"] > 0.0
    card = (released[0] / "MODEL_CARD.md").read_text()
    assert "\n".join(script("changed_input").table(costs)) in card


@pytest.mark.slow
@pytest.mark.oracle
def test_the_release_names_no_folder_of_this_machine(released, runs, data):
    for name in ("release.json", "MODEL_CARD.md"):
        text = (released[0] / name).read_text()
        assert str(data.parent) not in text and str(runs["a"].parent) not in text
    config = json.loads((released[0] / "release.json").read_text())["config"]
    assert config["distill"]["teacher"] == runs["teacher"].name


@pytest.mark.slow
@pytest.mark.oracle
def test_both_arms_are_compared(released, script):
    release = json.loads((released[0] / "release.json").read_text())
    card = (released[0] / "MODEL_CARD.md").read_text()
    assert f"Float students after {release['config']['train']['steps']:,} steps" in card
    means = [run["pesq_wb"] for run in release["comparison"]["distilled"]]
    spread = abs(means[0] - means[1]) / math.sqrt(2)
    assert f"| distilled | 2 | {sum(means) / 2:.3f} +- {spread:.3f} |" in card
    assert "The released model was trained by distillation" in card
    arms = {arm: release["comparison"][arm] for arm in ("distilled", "alone")}
    gain = script("quality").arm_statistics(arms)["difference"]
    assert f"by distillation; {script('model_card').better_arm(gain)}\n" in card


@pytest.mark.parametrize(
    ("pesq_wb", "estoi", "verdict"),
    [
        (0.021, 0.0044, "PESQ-WB and ESTOI the better arm is 'distilled', by 0.021 and 0.004."),
        (-0.021, -0.003, "PESQ-WB and ESTOI the better arm is 'alone', by 0.021 and 0.003."),
        (0.021, -0.003, "mixed: PESQ-WB prefers 'distilled', by 0.021, ESTOI prefers 'alone', by "),
    ],
)
def test_an_arm_is_better_where_both_judges_say_so(script, pesq_wb, estoi, verdict):
    gain = {"pesq_wb": {"mean": pesq_wb}, "estoi": {"mean": estoi}}
    assert verdict in script("model_card").better_arm(gain)


@pytest.mark.slow
def test_a_mistake_is_no_traceback(runs, data, tmp_path):
    options = ("--data", data, "--split", "valid", "--distilled", runs["a"])
    done = make_release(runs["a"], tmp_path / "out", *options)
    assert done.returncode == 1
    assert "needs two runs of each arm or more" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("distilled", "alone", "message"),
    [
        ("ab", "c", "needs two runs of each arm or more"),
        ("", "cd", "needs two runs of each arm or more"),
        ("ac", "cd", "does not belong to the runs distilled"),
        ("ab", "cb", "does not belong to the runs alone"),
        ("ab", "cx", "differ in more than distillation and seed"),
        ("ab", "ci", "began with the weights of tiny. Expected arms that begin with random ones"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(script, tmp_path, distilled, alone, message):
    settings = {
        "a": ["train.seed=1", "quantize.steps=0"],
        "b": ["distill.weight=0.1"],
        "c": ["distill.method=none"],
        "d": ["distill.method=none", "train.seed=1"],
        "x": ["distill.method=none", "train.steps=7"],
        "i": ["distill.method=none", "train.init=tiny"],
    }
    paths = {
        name: RunDirectory.create_at(tmp_path / name, load_config("micro", [], values), "x").path
        for name, values in settings.items()
    }
    arms = ([paths[name] for name in arm] for arm in (distilled, alone))
    with pytest.raises(ConfigError, match=message):
        script("quality").comparison(*arms, [])


@pytest.mark.parametrize(
    ("git", "text"),
    [
        (None, "tfkd 1.0, Python 3,"),
        ("0123456789abcdef", "tfkd 1.0 at commit 0123456789, Python 3,"),
        ("0123456789abcdef+", "tfkd 1.0 at commit 0123456789 with changes, Python 3,"),
    ],
)
def test_the_card_names_the_commit_that_trained(script, tmp_path, git, text):
    run = RunDirectory.create_at(tmp_path / "run", load_config("micro"), "student")
    record = {"tfkd": "1.0", "python": "3", "packages": {"numpy": "1"}, "git": git}
    (run.path / "env.json").write_text(json.dumps(record))
    assert script("student_release").environment(run)["text"] == f"{text} numpy 1."


def test_no_runs_are_no_comparison(script):
    assert script("quality").comparison([], [], []) == {}


def row(script, **values: str) -> dict[str, str]:
    columns = script("corpus_manifest").COLUMNS
    given = {"split": "train", "kind": "noise", "licence": LICENCE, "source": "S (web)"}
    return dict.fromkeys(columns, "") | given | values


@pytest.mark.parametrize(
    "licence", ["CC BY-NC 4.0", "CC BY-SA", "CC BY-ND", "non-commercial use", "ShareAlike"]
)
def test_a_licence_that_would_bind_the_weights_is_refused(script, licence):
    sources = script("corpus_manifest").training_sources
    assert sources([row(script, licence=licence, split="test")]) == []  # not trained on
    with pytest.raises(CorpusError, match="would bind the weights"):
        sources([row(script, licence=licence, path="noise/train/a.flac")])


@pytest.mark.parametrize("licence", [LICENCE, "CC BY 4.0", "CC0", "MIT", "SANDIA and NCO"])
def test_other_licences_are_listed(script, licence):
    (source,) = script("corpus_manifest").training_sources([row(script, licence=licence)] * 2)
    assert source == {"source": "S", "files": 2, "licence": licence, "attribution": ""}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ""),
        (["A; reader B"], "A; reader B"),
        (["A; 2014; reader B", "A; 2014; reader C; D"], "A; 2014; reader B, reader C; D"),
        (["A; B", "C; B"], "A; B, C; B"),
        (["A", "A; B"], "A, A; B"),
    ],
)
def test_authors_are_all_named_and_what_they_share_once(script, names, expected):
    assert script("corpus_manifest").attribution(names) == expected


def test_a_manifest_without_a_column_is_named(script, tmp_path):
    path = tmp_path / "manifest.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "split"), ("a", "train")])
    with pytest.raises(CorpusError, match="Missing: kind, speaker_or_class, source"):
        script("corpus_manifest").read_manifest(path)
    with pytest.raises(CorpusError, match="cannot be read as a manifest"):
        script("corpus_manifest").read_manifest(tmp_path / "none.csv")


def test_speakers_of_the_scored_pairs_are_counted(script):
    rows = [row(script, kind="speech", speaker_or_class=name) for name in ("anna", "bert")]
    rows += [
        row(script, kind="pair-noisy", split="test", path=f"n/{stem}.wav", speaker_or_class=name)
        for stem, name in (("a", "anna+fan"), ("b", "anna+rain"), ("c", "carl+fan"), ("d", "x+y"))
    ]
    count = script("corpus_manifest").speakers_of_pairs
    assert count(rows, ["a", "b", "c"]) == {"all": 2, "trained_on": 1}


def test_statistics_of_both_arms_by_hand(script):
    metrics = ("pesq_wb", "stoi", "estoi", "si_sdr")
    arms = {
        "distilled": [dict.fromkeys(metrics, value) for value in (1.0, 3.0)],
        "alone": [dict.fromkeys(metrics, value) for value in (0.0, 1.0, 2.0)],
    }
    statistics = script("quality").arm_statistics(arms)
    assert statistics["distilled"]["stoi"] == {"mean": 2.0, "std": pytest.approx(math.sqrt(2))}
    assert statistics["alone"]["stoi"] == {"mean": 1.0, "std": 1.0}
    error = math.sqrt(2 / 2 + 1 / 3)
    expected = {"mean": 1.0, "standard_error": pytest.approx(error)}
    assert statistics["difference"]["si_sdr"] == expected


@pytest.mark.parametrize("name", sorted(released_folders()))
def test_the_released_cards_say_what_their_figures_say(script, name):
    folder = released_folders()[name]
    release = json.loads((folder / "release.json").read_text("utf-8"))
    assert script("model_card").render(release) == (folder / "MODEL_CARD.md").read_text("utf-8")
