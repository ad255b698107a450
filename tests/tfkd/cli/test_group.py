"""The command line as a whole: help, speed, exit codes, streams."""

import os
import resource
import signal
import subprocess
import sys
import time

import click
import numpy as np
import pytest
import soundfile
from conftest import voice

from firmware_ref.errors import TargetError
from tfkd import errors
from tfkd.cli import group, main
from tfkd.config_file import preset_names

TFKD = [sys.executable, "-m", "tfkd"]
ENTRY_POINT = os.path.join(os.path.dirname(sys.executable), "tfkd")


def commands(command=main, path=()):
    """Every command's path, groups included."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


def installed(*args, **options):
    """Run the installed entry point."""
    return subprocess.run(
        [ENTRY_POINT, *map(str, args)], capture_output=True, text=True, timeout=120, **options
    )


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help_with_an_example(run_tfkd, path, flag):
    result = run_tfkd(*path, flag)
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: tfkd")
    assert "Example:" in result.stdout or path in {("data",), ("config",)}


def test_help_of_every_command_imports_no_tensorflow():
    program = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from tfkd.cli import main\n"
        "for path in sys.argv[1:]:\n"
        "    assert CliRunner().invoke(main, [*path.split(), '--help']).exit_code == 0, path\n"
        "heavy = {'tensorflow', 'tf_keras', 'numpy', 'pydantic', 'rich'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    paths = [" ".join(path) for path in commands()]
    done = subprocess.run([sys.executable, "-c", program, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_help_takes_less_than_a_second():
    """Of processor time: the tests share their cores with others."""
    subprocess.run([*TFKD, "--help"], check=True, capture_output=True)  # files into the cache

    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    subprocess.run([*TFKD, "--help"], check=True, capture_output=True)
    assert used() - before < 1.0


def test_version(run_tfkd):
    import tfkd

    assert run_tfkd("--version").stdout == f"tfkd, version {tfkd.__version__}\n"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (errors.ConfigError("what was wrong"), 1, "Error: what was wrong\n"),
        (errors.VerificationError("they differ"), 3, "Error: they differ\n"),
        (errors.ConversionError("a float island"), 3, "Error: a float island\n"),
        (TargetError("unknown chip"), 2, "Error: unknown chip\n"),
        (click.UsageError("no such thing"), 2, "no such thing"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (OSError(28, "No space left on device"), 1, "Error: No space left on device.\n"),
        (OSError(28, "No space left on device", "a.wav"), 1, "Error: a.wav: No space left"),
        (PermissionError(13, "Permission denied", "a.wav"), 1, "Error: a.wav: Permission denied"),
    ],
)
def test_every_outcome_is_a_message_and_an_exit_code(run_tfkd, monkeypatch, error, code, message):
    @click.command()
    def failing():
        raise error

    monkeypatch.setattr(group.LazyGroup, "get_command", lambda self, context, name: failing)
    result = run_tfkd("failing")
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_bug_is_a_traceback(run_tfkd, monkeypatch):
    @click.command()
    def failing():
        raise ZeroDivisionError

    monkeypatch.setattr(group.LazyGroup, "get_command", lambda self, context, name: failing)
    assert isinstance(run_tfkd("failing").exception, ZeroDivisionError)


def test_wrong_command_and_option(run_tfkd):
    for args in (["denoze"], ["denoise", "--outptu", "x"], ["denoise"], []):
        result = run_tfkd(*args)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "Usage:" in result.stderr


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (["evaluate", "tiny", "--noisy", "", "--clean", ""], "--noisy"),
        (["train", "--student", "tiny", "--speech="], "--speech"),
        (["denoise", "", "-o", "out"], "denoise"),
        (["data", "check", ""], "check"),
    ],
)
def test_an_unset_variable_is_told(run_tfkd, args, what):
    result = run_tfkd(*args)
    assert result.exit_code == 2
    assert f"Error: what follows {what} is empty, as an unset variable" in result.stderr


@pytest.mark.parametrize(
    ("args", "nearest"),
    [
        (["trian", "--student", "tiny"], "Did you mean 'train'?"),
        (["data", "chek"], "Did you mean 'check'?"),
        (["info", "--jsno"], "Did you mean '--json'?"),
        (["quite-another-thing"], "No such command 'quite-another-thing'.\n"),
    ],
)
def test_the_nearest_name_is_offered(run_tfkd, args, nearest):
    result = run_tfkd(*args)
    assert result.exit_code == 2
    assert nearest in result.stderr


def test_every_command_reports_as_json():
    def leaves(command, path=()):
        if not isinstance(command, click.Group):
            yield path, command
            return
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from leaves(command.get_command(context, name), (*path, name))

    without = {
        path
        for path, command in leaves(main)
        if not any("--json" in parameter.opts for parameter in command.params)
    }
    assert without <= {("experiment",)}  # which writes study.json and prints its path


def complete(*words, incomplete=""):
    """What the shell would offer, and whether TensorFlow or NumPy was imported for it."""
    line = " ".join(["tfkd", *words, incomplete])
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *TFKD[1:]],
        env=os.environ
        | {"COMP_WORDS": line, "COMP_CWORD": str(len(words) + 1)}
        | {"_TFKD_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    return {line.partition(",")[2] for line in done.stdout.splitlines()}, imported


def test_completion_script():
    for shell in ("bash", "zsh", "fish"):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", *TFKD[1:]],
            env=os.environ | {"_TFKD_COMPLETE": f"{shell}_source"},
            capture_output=True,
            text=True,
        )
        assert f"_TFKD_COMPLETE={shell}_complete" in done.stdout
        assert "tensorflow" not in done.stderr and "numpy" not in done.stderr


def test_completion_of_commands_options_and_names():
    offered, imported = complete(incomplete="de")
    assert offered == {"denoise"}
    assert not {"tensorflow", "numpy", "pydantic", "rich"} & imported
    assert complete("data")[0] == {"check", "demo", "voicebank-demand"}
    assert complete("denoise", incomplete="--eng")[0] == {"--engine"}
    assert "tflm" in complete("denoise", "--engine")[0]
    offered, imported = complete("train", "--student")
    assert offered == set(preset_names()) - {"teacher"} >= {"micro", "tiny", "small"}
    assert "tensorflow" not in imported
    offered, imported = complete("info", "--target", incomplete="nano")
    assert "nano33ble" in offered and "tensorflow" not in imported


@pytest.mark.slow
def test_exit_codes_of_the_installed_command(tmp_path, gate):
    soundfile.write(tmp_path / "in.wav", voice(0.5), 16000)
    denoise = ["denoise", "-o", tmp_path / "out.wav", "--model", gate, "--engine", "firmware-ref"]
    done = installed(*denoise, tmp_path / "in.wav")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'out.wav'}\n"), done.stderr
    assert installed(*denoise, tmp_path / "none.wav").returncode == 1
    assert installed("denoise", tmp_path / "in.wav").returncode == 2
    assert installed("train", "--student", "tinny").returncode == 1


@pytest.mark.slow
def test_ctrl_c_exits_130_and_leaves_nothing(tmp_path, gate):
    soundfile.write(tmp_path / "in.wav", np.zeros(16000 * 600), 16000)
    command = [ENTRY_POINT, "denoise", tmp_path / "in.wav", "-o", tmp_path / "out" / "x.wav"]
    process = subprocess.Popen(
        [*map(str, command), "--model", str(gate), "--engine", "firmware-ref"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A job in a shell's background starts with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for _ in range(600):
        if list((tmp_path / "out").glob(".*.x.wav")):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err and "Traceback" not in err
    assert not list((tmp_path / "out").iterdir())


def test_closed_pipe_is_silent(gate):
    command = f"{ENTRY_POINT} config show tiny | true"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr
