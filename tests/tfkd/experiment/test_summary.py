"""Pages come from study.json alone; the committed ones too."""

import json
import shutil
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from synthetic_study import CLEAR, study

from tfkd.errors import RunError
from tfkd.experiment.plots import cosine_figure, metrics_figure
from tfkd.experiment.result import comparisons
from tfkd.experiment.study_file import Scores
from tfkd.experiment.summary import COSINE, METRICS, page, read_result, write_result
from tfkd.experiment.tables import latex_table
from tfkd.metrics import METRICS as SCORED

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
    assert (
        "| cosine | 0.1 | 0.11100 |\n| cosine | 0.3 | **0.10500** |\n| cosine | 1 | 0.12000 |"
        in text
    )
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
    write_result(study({}, weights={}, tuning=[]), tmp_path)
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


def edited(tmp_path, **changes):
    path = tmp_path / "study.json"
    path.write_text(json.dumps({**CLEAR, **changes}))
    return path


def test_a_damaged_study_is_a_message_not_a_traceback(tmp_path, run_tfkd):
    first, *rest = CLEAR["cells"]
    for changes, message in (
        ({"cells": None}, "cells: Input should be a valid list"),
        ({"cells": [{**first, "int8": {}}, *rest]}, "cells.0.int8.pesq_wb: Field required"),
        ({"cells": [{**first, "stoi": float("nan")}, *rest]}, "cells.0.stoi: "),
        ({"cells": [first, first]}, "occur more than once: width/none/seed 0"),
        ({"failed": [first]}, "occur more than once: width/none/seed 0"),
        ({"cells": [{**first, "history": {"step": [1], "latent_cosine": []}}]}, "differ in length"),
        ({"tuning": [{"method": "hint"}]}, "tuning.0.weight: Field required"),
        ({"teacher": {"parameters": 3}}, "teacher.float: Field required"),
    ):
        refused = run_tfkd("experiment", "--summarise", edited(tmp_path, **changes))
        assert refused.exit_code == 1 and "study.json: is damaged: " in refused.output
        assert message in refused.output
    assert set(Scores.model_fields) == set(SCORED)


def test_comparisons_follow_the_cells_of_an_edited_study(tmp_path):
    fewer = [c for c in CLEAR["cells"] if c["method"] != "hint"]
    read = read_result(edited(tmp_path, cells=fewer))
    assert read["comparisons"] == comparisons(fewer) != CLEAR["comparisons"]


def test_a_cosine_that_was_not_finite_is_left_out_of_the_plot():
    gaps = [
        {**c, "history": {"step": [10, 20], "latent_cosine": [None, 0.5]}} for c in CLEAR["cells"]
    ]
    line = cosine_figure({**CLEAR, "cells": gaps}).axes[0].get_lines()[0]
    assert list(line.get_xdata()) == [20] and list(line.get_ydata()) == [0.5]


def test_many_methods_and_scenarios_stay_legible():
    names = "none output hint cosine attention similarity_batch similarity_frame two_step cka"
    scenarios = "base width depth kernel latent expansion context frequency"
    figure = metrics_figure(study({(m, s): 1.0 for m in names.split() for s in scenarios.split()}))
    FigureCanvasAgg(figure).draw()
    (legend,) = figure.legends  # beside the panels, over no line
    assert [text.get_text() for text in legend.get_texts()] == names.split()
    panels = [axis.get_window_extent() for axis in figure.axes]
    assert not any(legend.get_window_extent().overlaps(panel) for panel in panels)
    assert min(panel.width for panel in panels) > 150
    labels = figure.axes[-1].get_xticklabels()
    assert [label.get_text() for label in labels] == scenarios.split()
    assert all(label.get_rotation() > 0 for label in labels)


def test_every_number_of_the_published_pages_is_generated():
    published = {path.parent for path in PAGES.rglob("study.json")}
    assert published == {path.parent for path in PAGES.rglob("study.md")}
    for folder in published:
        result = read_result(folder / "study.json")
        assert (folder / "study.md").read_text() == page(result)
        assert (folder / "study.tex").read_text() == latex_table(result)
