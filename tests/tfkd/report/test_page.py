import re

import pytest
from jinja2 import UndefinedError

from tfkd.report.page import render_page, reproduction


def test_it_refers_to_nothing_outside_itself(page):
    text = page.read_text()
    references = re.findall(r"""(?:src|href|action)=["']([^"']*)""", text)
    assert references
    assert all(ref.startswith(("data:", "#")) for ref in references)
    assert not re.search(r"url\(|@import|https?://|fetch\(|import\(", text)
    assert "default-src 'none'" in text


def test_file_names_are_no_markup(page):
    text = page.read_text()
    assert "snrm05_<b>" not in text
    assert "snrm05_&lt;b&gt;" in text


def test_links_lead_to_sections(page):
    text = page.read_text()
    for target in re.findall(r'href="#([^"]+)"', text):
        assert f'id="{target}"' in text


def test_it_says_what_a_model_file_lacks(page):
    text = page.read_text()
    assert "There is no float model beside this file to compare with." in text
    assert "A model file alone does not know how it was trained." in text


def test_four_examples_of_six_seconds_are_below_the_limit(page):
    """Sound and pictures make the size; this page has three examples of three seconds."""
    size = page.stat().st_size
    systems = 4 / 3  # float as well
    assert size * (4 * 6) / (3 * 3) * systems < 8_000_000  # bytes: what fits into a mail


def test_a_missing_name_is_an_error():
    with pytest.raises(UndefinedError):
        render_page({})


def test_commands_in_order():
    page = ["tfkd", "report", "x"]
    assert reproduction(["__main__.py", "train", "teacher"], page) == [
        ["tfkd", "train", "teacher"],
        page,
    ]
    assert reproduction(None, page) == [page]
