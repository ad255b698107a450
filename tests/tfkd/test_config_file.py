import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfkd.config import Config, DataConfig, DistillConfig, TrainConfig
from tfkd.config_file import (
    dump_config,
    known_keys,
    load_config,
    parse_setting,
    preset_names,
    read_config,
    read_table,
)
from tfkd.errors import ConfigError


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads_under_its_own_name(name):
    assert load_config(name).model.name == name


def test_precedence_flag_over_setting_over_file_over_preset_over_default(tmp_path):
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text("[train]\nsteps = 1\nbatch = 2\nseed = 3\nema = 0.5\n")
    second.write_text("[train]\nbatch = 20\nseed = 30\nema = 0.9\n")
    config = load_config(
        "tiny",
        [first, second],
        ["train.seed=300", "train.ema=0.99"],
        {"train.ema": 0.0, "data.speech": None},
    )
    assert config.train == TrainConfig(steps=1, batch=20, seed=300, ema=0.0)
    assert config.data == DataConfig()


@given(
    speech=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    rate=st.floats(1e-12, 1e6),
    steps=st.integers(1, 10**12),
    snr=st.tuples(st.floats(-50, 0), st.floats(0, 50)),
    deterministic=st.booleans(),
)
def test_dumped_configuration_reads_back_equal(
    tmp_path_factory, speech, rate, steps, snr, deterministic
):
    config = Config(
        model=load_config("tiny").model,
        data=DataConfig(speech=speech, snr_db=snr),
        train=TrainConfig(steps=steps, learning_rate=rate, deterministic=deterministic),
        distill=DistillConfig(weight=rate),
    )
    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text(dump_config(config), "utf-8", newline="")
    assert read_config(path) == config


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("k=1", 1),
        ("k=4e-4", 4e-4),
        ("k=true", True),
        ("k=[1, 2]", [1, 2]),
        ('k="1"', "1"),
        ("k=cosine", "cosine"),
        ("k = /a/path with = sign", "/a/path with = sign"),
        ("k=", ""),
        ("k=1\nother=2", "1\nother=2"),
    ],
)
def test_setting_values_are_toml_or_else_text(text, value):
    assert parse_setting(text) == ("k", value)


@pytest.mark.parametrize("text", ["train.steps", "=4", " = 4"])
def test_setting_without_key_or_value(text):
    with pytest.raises(ConfigError, match="Expected key=value"):
        parse_setting(text)


@pytest.mark.parametrize(
    ("setting", "suggestion"),
    [
        ("train.step=4", "train.steps"),
        ("trian.steps=4", "train"),
        ("learning_rate=1e-3", "train.learning_rate"),
        ("model.frontend.band=32", "model.frontend.bands"),
        ("distil.weight=1", "distill"),
    ],
)
def test_unknown_key_offers_the_nearest(setting, suggestion):
    with pytest.raises(ConfigError, match=rf"unknown configuration key.*{suggestion}'\?"):
        load_config("tiny", settings=[setting])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train.batch=0", r"train\.batch \(from --set train\.batch=0\).*Received: 0"),
        ("train.steps=many", r"train\.steps .*valid integer.*Received: 'many'"),
        ("distill.axis=time", r"distill\.axis .*'frame', 'position' or 'example'.*'time'"),
        ("train=5", r"train .*Received: 5"),
        ("model.frontend.hop=100", r"window must be twice the hop.*hop=100"),
        ("model.frontend.highest_hz=3000", r"highest_hz \(=3000\) must be at least.*4000 Hz"),
        ("model.decoder_kernel=4", r"decoder_kernel must be odd\. Received: 4\.$"),
    ],
)
def test_wrong_value_names_key_origin_and_value(setting, message):
    with pytest.raises(ConfigError, match=message):
        load_config("tiny", settings=[setting])


def test_all_problems_are_reported_at_once():
    with pytest.raises(ConfigError) as caught:
        load_config("tiny", settings=["train.batch=0", "train.step=1"])
    assert len(str(caught.value).splitlines()) == 2


def test_unknown_preset_offers_the_nearest():
    with pytest.raises(ConfigError, match="unknown preset 'tinny'.*Did you mean 'tiny'?"):
        load_config("tinny")


def test_no_model_at_all(tmp_path):
    (tmp_path / "x.toml").write_text("[train]\nsteps = 1\n")
    with pytest.raises(ConfigError, match="no model is chosen"):
        load_config(config_files=[tmp_path / "x.toml"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.strides=[0,2,2]", r"model\.strides .*greater than or equal to 1.*Received: 0"),
        ("model.dilations=[]", r"model\.dilations .*at least 1 item"),
        ("model.channels=[8,0,16]", r"model\.channels .*greater than or equal to 1.*Received: 0"),
        ("model.time_kernels=[-3,0,0]", r"model\.time_kernels .*greater than or equal to 0"),
        ("model.name=../tiny", r"model\.name .*Received: '\.\./tiny'"),
        ("train.seed=-1", r"train\.seed .*greater than or equal to 0.*Received: -1"),
        ("train.learning_rate=inf", r"train\.learning_rate .*finite.*Received: inf"),
        ("data.snr_db=[20,-5]", r"snr_db must be \[lowest, highest\]. Received: \[20, -5\]"),
        ("data.snr_db=[5]", r"data\.snr_db \(from .*\): has too few values\. Received: \[5\]"),
        ("model.channels=[8,16000000,16]", r"model\.channels .*less than or equal to 4096"),
        ("data.snr_db=[nan,5]", r"data\.snr_db .*finite.*Received: nan"),
    ],
)
def test_values_that_no_run_can_use(setting, message):
    with pytest.raises(ConfigError, match=message):
        load_config("micro", settings=[setting])


def test_a_byte_order_mark_is_no_error(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf[train]\nsteps = 7\n")
    assert load_config("tiny", [tmp_path / "mine.toml"]).train.steps == 7


def test_unreadable_files(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_table(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[train\nsteps = 1")
    with pytest.raises(ConfigError, match="not valid TOML.*line 1"):
        read_table(tmp_path / "bad.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_table(tmp_path / "binary.toml")


def test_known_keys_are_complete():
    keys = set(known_keys())
    assert {"train.steps", "model.frontend.bands", "data.snr_db", "quantize.steps"} <= keys
    assert "model.frontend" not in keys


def test_a_folder_whose_name_is_no_text():
    with pytest.raises(ConfigError, match=r"data.speech = .* \(the flag for .*is not UTF-8"):
        load_config("micro", flags={"data.speech": os.fsdecode(b"/x/Zo\xeb")})
