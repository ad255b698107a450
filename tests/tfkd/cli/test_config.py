import json

from tfkd.config_file import load_config


def test_shown_configuration_is_toml_that_config_takes(tmp_path, run_tfkd):
    shown = run_tfkd("config", "show", "micro", "--set", "train.steps=7")
    assert shown.exit_code == 0
    path = tmp_path / "mine.toml"
    path.write_text(shown.stdout)
    assert load_config(config_files=[path]) == load_config("micro", settings=["train.steps=7"])
    again = run_tfkd("config", "show", "--config", path)
    assert again.stdout == shown.stdout


def test_json(run_tfkd):
    report = json.loads(run_tfkd("config", "show", "tiny", "--json").stdout)
    assert report["schema"] == "tfkd.config/1"
    assert report["config"]["model"]["name"] == "tiny"


def test_mistakes(run_tfkd):
    result = run_tfkd("config", "show", "tinny")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Did you mean 'tiny'?" in result.stderr
    assert run_tfkd("config", "show").exit_code == 2
