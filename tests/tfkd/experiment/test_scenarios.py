"""Every shipped scenario builds, and departs from tiny in the traits it is named after."""

import pytest

from tfkd.config_file import load_config
from tfkd.errors import ConfigError
from tfkd.experiment.scenarios import scenario_file, scenario_names
from tfkd.models.budget import receptive_field_frames
from tfkd.models.dae import build_dae

TRAITS = {
    "base": set(),
    "width": {"channels", "decoder_channels"},
    "depth": {"dilations"},
    "kernel": {"kernels", "time_kernel", "dilations", "decoder_kernel"},
    "latent": {"latent"},
    "expansion": {"hidden"},
    "context": {"dilations"},
    "frequency": {"kernels", "strides", "frontend"},
}


def model_config(scenario):
    return load_config("tiny", [scenario_file(scenario)]).model


def test_every_scenario_is_listed():
    assert scenario_names() == sorted(TRAITS)


@pytest.mark.parametrize("scenario", TRAITS)
def test_it_changes_its_traits_only(scenario):
    tiny, config = load_config("tiny").model.model_dump(), model_config(scenario).model_dump()
    assert {key for key in tiny if tiny[key] != config[key]} == TRAITS[scenario]


@pytest.mark.parametrize("scenario", TRAITS)
def test_it_builds(scenario):
    config = model_config(scenario)
    model = build_dae(config)
    assert model.output_shape == (None, None, config.frontend.bands, 1)
    # frames and positions are the teacher's in every scenario; channels are the student's own
    assert model.get_layer("latent").output.shape.as_list() == [None, None, 1, config.latent]


def test_only_the_context_scenario_changes_the_context():
    frames = {name: receptive_field_frames(model_config(name)) for name in TRAITS}
    tiny = frames.pop("base")
    assert frames.pop("context") == tiny - 4 * (1 + 3 + 9 + 27) + 4 * 4
    assert set(frames.values()) == {tiny}


def test_a_file_of_the_user():
    assert scenario_file("mine/shallow.toml").name == "shallow.toml"


def test_unknown_scenario():
    with pytest.raises(ConfigError, match="unknown scenario 'wdth'.*Did you mean 'width'"):
        scenario_file("wdth")
