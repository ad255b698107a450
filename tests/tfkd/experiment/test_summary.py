"""Pages come from study.json alone; the committed ones too."""

import json
import shutil
from pathlib import Path

import pytest
from synthetic_study import CLEAR, study

from tfkd.errors import RunError
from tfkd.experiment.plots import cosine_figure, metrics_figure
from tfkd.experiment.summary import COSINE, METRICS, page, read_result, write_result
from tfkd.experiment.tables import latex_table

PAGES = Path(__file__).parents[3] / "docs" / "study"


def test_everything_follows_from_the_result(tmp_path, run_tfkd):
    path = write_result(CLEAR, tmp_path)
    assert read_result(path) == json.loads(json.dumps(CLEAR))
    written = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert written.keys() == {"study.json", "study.md", "study.tex", METRICS, COSINE}
    text = written["study.md"].decode()
    assert f"]({METRICS})" in text and f"]({COSINE})" in text
    assert "Noisy input: PESQ-WB 0.500, STOI 0.500, ESTOI 0.500, SI-SDR 0.50 dB." in text
    assert "Parameters of the students: width 12,000, latent 3,400." in text
    shutil.copy(path, tmp_path / "kept.json")
    for name in written:
        (tmp_path / name).unlink()
    (tmp_path / "kept.json").rename(path)
    assert run_tfkd("experiment", "--summarise", path).exit_code == 0
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == written


def test_the_figures_show_means_and_bands():
    figure = metrics_figure(CLEAR)
    assert len(figure.axes) == 8
    axis = figure.axes[0]
    lines = {line.get_label(): line for line in axis.get_lines()}
    assert lines["cosine"].get_ydata() == pytest.approx([1.1, 0.9])
    assert [text.get_text() for text in axis.get_xticklabels()] == ["width", "latent"]
    assert len(axis.collections) == 3  # one band per method
    panel = cosine_figure(CLEAR).axes[0]
    assert {line.get_label() for line in panel.get_lines()} == {"hint", "cosine"}
    assert list(panel.get_lines()[0].get_xdata()) == [10, 20]
    assert panel.get_lines()[0].get_ydata() == pytest.approx([0.5, 0.75])


def test_without_phi_or_cells(tmp_path):
    plain = study({("none", "width"): 1.0, ("output", "width"): 1.0}, seeds=2)
    assert cosine_figure(plain) is None and COSINE not in page(plain)
    write_result(study({}, weights={}), tmp_path)
    assert not (tmp_path / METRICS).exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "expected a study.json"),
        ("{}", "expected a study.json"),
        ('{"schema": 2}', "schema 2"),
    ],
)
def test_what_is_no_study(tmp_path, text, message):
    path = tmp_path / "study.json"
    path.write_text(text)
    with pytest.raises(RunError, match=message):
        read_result(path)
    with pytest.raises(RunError, match="cannot be read"):
        read_result(tmp_path / "missing.json")


def test_every_number_of_the_published_pages_is_generated():
    published = {path.parent for path in PAGES.rglob("study.json")}
    assert published == {path.parent for path in PAGES.rglob("study.md")}
    for folder in published:
        result = read_result(folder / "study.json")
        assert (folder / "study.md").read_text() == page(result)
        assert (folder / "study.tex").read_text() == latex_table(result)
