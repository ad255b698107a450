"""The converter's diagnostics stay away from stderr unless it fails."""

import logging
import os

import pytest

from tfkd.convert.quiet import quiet_converter


def write_below_python():
    os.write(2, b"fully_quantize: 0\n")


def test_holds_back_what_is_written_to_the_descriptor(capfd):
    with quiet_converter():
        write_below_python()
        logging.getLogger("absl").warning("Please consider providing the trackable_obj")
    assert capfd.readouterr().err == ""
    write_below_python()
    assert capfd.readouterr().err == "fully_quantize: 0\n"


def test_shows_it_when_the_converter_fails(capfd):
    with pytest.raises(ValueError, match="no conversion"), quiet_converter():
        write_below_python()
        raise ValueError("no conversion")
    assert capfd.readouterr().err == "fully_quantize: 0\n"


def test_leaves_the_logger_as_it_was():
    level = logging.getLogger("absl").level
    with quiet_converter():
        pass
    assert logging.getLogger("absl").level == level
