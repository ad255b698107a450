import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import RATE, noisy_voice, voice
from test_enhance import Passage

from tfkd import metrics
from tfkd.config import FrontEndConfig
from tfkd.engines.firmware_ref import FirmwareRefEngine
from tfkd.engines.streaming_model import read_streaming_model
from tfkd.enhance import enhance
from tfkd.errors import AudioError, CorpusError, ModelError
from tfkd.evaluate import (
    Evaluation,
    Pair,
    PairScores,
    evaluate,
    find_others,
    find_pairs,
    scoring_processes,
)


def test_pairs_match_by_name_whatever_the_format(pair_folders):
    pairs = find_pairs(*pair_folders)
    assert [(p.name, p.snr_db) for p in pairs] == [
        ("a_snrm05_1", -5.0),
        ("b_snrm05_2", -5.0),
        ("c_snr10_1", 10.0),
        ("d_snr10_2", 10.0),
    ]
    assert all(p.noisy.stem == p.clean.stem for p in pairs)


def test_names_without_snr_and_a_manifest(pair_folders, tmp_path):
    noisy, clean = pair_folders
    for folder in pair_folders:
        for path in folder.iterdir():
            path.rename(path.with_name(path.name.replace("snr", "level")))
    assert {p.snr_db for p in find_pairs(noisy, clean)} == {None}
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,snr_db,kind\nnoisy/a_levelm05_1.flac,2.5,x\nspeech/other.flac,,y\n")
    assert [p.snr_db for p in find_pairs(noisy, clean, manifest)] == [2.5, None, None, None]
    manifest.write_text("file,db\n1,2\n")
    with pytest.raises(CorpusError, match=r"lacks the columns path, snr_db.*file, db"):
        find_pairs(noisy, clean, manifest)
    for text in ("loud", "nan", "inf"):
        manifest.write_text(f"path,snr_db\na.wav,{text}\n")
        with pytest.raises(CorpusError, match=rf"SNR of a\.wav is no number.*'{text}'"):
            find_pairs(noisy, clean, manifest)
    with pytest.raises(CorpusError, match="cannot be read"):
        find_pairs(noisy, clean, tmp_path / "none.csv")


def test_no_pair_is_lost_between_groups():
    snrs = (5.0, None, 12.345671, 12.345672, 0.0, -0.0)
    scores = [PairScores(Pair(f"{n}", Path(), Path(), snr), {}) for n, snr in enumerate(snrs)]
    groups = Evaluation((), tuple(scores)).groups()
    assert {name: len(group) for name, group in groups.items()} == {
        **{"0": 2, "5": 1, "12.3457": 2, "all": 6},
    }


def test_a_manifest_tells_files_of_one_name_apart(tmp_path):
    for side in ("noisy", "clean"):
        for room in ("hall", "street"):
            (tmp_path / side / room).mkdir(parents=True)
            soundfile.write(tmp_path / side / room / "1.wav", voice(1.0), RATE)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,snr_db\nnoisy/hall/1.wav,5\nnoisy/street/1.wav,10\n")
    pairs = find_pairs(tmp_path / "noisy", tmp_path / "clean", manifest)
    assert [(p.name, p.snr_db) for p in pairs] == [("hall/1", 5.0), ("street/1", 10.0)]
    manifest.write_text("path,snr_db\nelsewhere/a/1.wav,5\nelsewhere/b/1.wav,10\n")
    pairs = find_pairs(tmp_path / "noisy", tmp_path / "clean", manifest)
    assert [p.snr_db for p in pairs] == [None, None]


def test_missing_partner_double_name_and_missing_folder(pair_folders, tmp_path):
    noisy, clean = pair_folders
    with pytest.raises(AudioError, match="no such folder"):
        find_pairs(tmp_path / "nowhere", clean)
    shutil.copy(clean / "a_snrm05_1.wav", clean / "a_snrm05_1.flac")
    with pytest.raises(CorpusError, match="same name"):
        find_pairs(noisy, clean)
    (clean / "a_snrm05_1.flac").unlink()
    (clean / "a_snrm05_1.wav").unlink()
    with pytest.raises(CorpusError, match=r"1 of 4 noisy.*first is a_snrm05_1\.flac"):
        find_pairs(noisy, clean)


def test_recordings_of_another_denoiser(pair_folders, tmp_path):
    noisy, clean = pair_folders
    pairs = find_pairs(noisy, clean)[:1]
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    samples, rate = soundfile.read(pairs[0].clean, dtype="float32")
    path = outputs / f"{pairs[0].name}.wav"
    soundfile.write(path, samples[:-100], rate)  # padded within a codec's tolerance
    others = {"other": find_others(outputs, pairs)}
    score = evaluate(pairs, {}, jobs=1, others=others).scores[0].systems["other"]
    assert score["pesq_wb"] > 4.5
    soundfile.write(path, samples[: len(samples) // 2], rate)
    with pytest.raises(CorpusError, match=rf"{path.name}: lasts .* s\. Expected the .* s of"):
        evaluate(pairs, {}, jobs=1, others=others)
    with pytest.raises(CorpusError, match=r"1 of 2 noisy recordings.*first is b_snrm05_2"):
        find_others(outputs, find_pairs(noisy, clean)[:2])
    with pytest.raises(AudioError, match="no such folder"):
        find_others(tmp_path / "nowhere", pairs)


def test_partners_of_different_length(pair_folders):
    noisy, clean = pair_folders
    soundfile.write(clean / "a_snrm05_1.wav", voice(1.0), RATE)
    with pytest.raises(CorpusError, match=r"1\.50 s and 1\.00 s"):
        evaluate(find_pairs(noisy, clean), {}, jobs=1)


def test_a_model_of_another_rate_is_refused(pair_folders):
    narrow = Passage()
    narrow.frontend = FrontEndConfig(sample_rate=8000)
    with pytest.raises(ModelError, match="float model works at 8000 Hz.*measured at 16000 Hz"):
        evaluate(find_pairs(*pair_folders), {"float": narrow}, jobs=1)


def test_processes_that_score_leave_interrupts_to_their_parent():
    with scoring_processes(1) as pool:
        assert pool.submit(signal.getsignal, signal.SIGINT).result() is signal.SIG_IGN


KILLED_WHILE_SCORING = """
import os, signal
from tfkd.evaluate import scoring_processes
with scoring_processes(1) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_that_score_end_with_their_parent():
    """They hold its standard output, whose end is awaited here."""
    command = [sys.executable, "-c", KILLED_WHILE_SCORING]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as killed:
        assert killed.stdout.readline()
        killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL


def test_scores_groups_and_differences(pair_folders, gate):
    engine = FirmwareRefEngine(read_streaming_model(gate))
    pairs = find_pairs(*pair_folders)
    done: list[float] = []
    evaluation = evaluate(pairs, {"same": Passage(), "gate": engine}, jobs=1, advance=done.append)
    assert evaluation.systems == ("noisy", "same", "gate")
    assert sum(done) == 4
    assert [scores.pair for scores in evaluation.scores] == pairs

    noisy = soundfile.read(pairs[3].noisy, dtype="float32")[0]
    clean = soundfile.read(pairs[3].clean, dtype="float32")[0]
    assert evaluation.scores[3].systems["noisy"] == pytest.approx(metrics.score(clean, noisy))
    expected = metrics.score(clean, enhance(engine, noisy))
    assert evaluation.scores[3].systems["gate"] == pytest.approx(expected)

    groups = evaluation.groups()
    assert {name: len(group) for name, group in groups.items()} == {"-5": 2, "10": 2, "all": 4}
    means = {name: evaluation.means("noisy", group) for name, group in groups.items()}
    assert means["-5"]["si_sdr"].mean < means["10"]["si_sdr"].mean
    assert means["all"]["si_sdr"].mean == pytest.approx(
        (means["-5"]["si_sdr"].mean + means["10"]["si_sdr"].mean) / 2
    )

    # A mask of ones changes nothing: the paired difference is zero although the means vary.
    unchanged = evaluation.differences("same", "noisy")["si_sdr"]
    assert unchanged.mean == pytest.approx(0.0, abs=1e-3)
    assert unchanged.standard_error < 1e-3 < means["all"]["si_sdr"].standard_error
    assert evaluation.differences("gate", "noisy")["si_sdr"].mean > 1.0


def test_silence_is_undefined_and_other_rates_and_channels_count(tmp_path):
    for name in ("noisy", "clean"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "stereo.wav", voice(1.0, 48000, 2), 48000)
    soundfile.write(tmp_path / "noisy" / "silent.wav", noisy_voice(1.0), RATE)
    soundfile.write(tmp_path / "clean" / "silent.wav", np.zeros(RATE), RATE)
    evaluation = evaluate(find_pairs(tmp_path / "noisy", tmp_path / "clean"), {}, jobs=1)
    silent, stereo = (scores.systems["noisy"] for scores in evaluation.scores)
    assert all(math.isnan(value) for value in silent.values())
    assert stereo["stoi"] == pytest.approx(1.0)
    interval = evaluation.means("noisy", evaluation.scores)["pesq_wb"]
    assert (interval.count, interval.undefined) == (1, 1)


def test_means_of_all_systems_are_over_the_same_pairs():
    """The mute system scores 9 on the one pair that it leaves alone, and is no better for that."""
    values = {"noisy": (1.0, 2.0, 6.0), "mute": (math.nan, math.inf, 9.0)}
    evaluation = Evaluation(
        tuple(values),
        tuple(
            PairScores(
                Pair(f"{i}", Path(), Path(), None),
                {name: dict.fromkeys(metrics.METRICS, drawn[i]) for name, drawn in values.items()},
            )
            for i in range(3)
        ),
    )
    means = {name: evaluation.means(name, evaluation.scores)["pesq_wb"] for name in values}
    assert [means[name].mean for name in values] == [6.0, 9.0]
    assert {(interval.count, interval.undefined) for interval in means.values()} == {(1, 2)}


def test_metric_workers_import_no_tensorflow():
    program = "import sys, tfkd.evaluate; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def crash(clean, signals):
    os._exit(11)


def test_metrics_that_crash_are_an_error_that_names_the_pairs(pair_folders, monkeypatch):
    monkeypatch.setattr("tfkd.evaluate._score", crash)
    with pytest.raises(CorpusError, match=r"crashed or ran out of memory.*a_snrm05_1"):
        evaluate(find_pairs(*pair_folders), {}, jobs=1)
