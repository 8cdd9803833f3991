"""Runs with many victims: nothing is dropped, nothing runs off its page or over something else."""

import itertools
import json
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from tinycerb.atomic import read_json
from tinycerb.reports.facts import verdict_sentences
from tinycerb.reports.pages import overview, summary, training
from tinycerb.reports.pdf import PAGES
from tinycerb.reports.style import STYLE

LAYERS = [{"layer": f"block{index}_depthwise_{'x' * 18}", "operator": "DEPTHWISE_CONV_2D"} for index in range(14)]
# Points of tolerance: letters' boxes are a little larger than their ink.
_SLACK = 1.5


def many(metrics: Any, count: int) -> Any:
    """The run's metrics with copies of its victims under other names."""
    changed = json.loads(json.dumps(metrics))
    originals = list(metrics["victims"])
    for index in range(len(originals), count):
        source = originals[index % 2]
        name = f"{source}-number-{index:02}"
        changed["victims"][name] = json.loads(json.dumps(metrics["victims"][source]))
        for verdict in changed["threats"].values():
            verdict["victims"][name] = verdict["victims"][source]
    return changed


@pytest.fixture(scope="module")
def metrics(smoke_run) -> Any:
    return read_json(smoke_run.metrics)


def drawn(draw, metrics: Any) -> list[Figure]:
    with mpl.rc_context(STYLE):
        figures = draw(metrics)
        for figure in figures:
            FigureCanvasAgg(figure)
            figure.canvas.draw()
    return figures


def undrawn_labels(axes: Axes) -> list[Text]:
    """Labels of ticks beyond the ends of an axis: they exist and are never drawn."""
    found = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not low <= tick.get_loc() <= high:
                found += [tick.label1, tick.label2]
    return found


def texts_of(figure: Figure) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Every visible text of a page with its box in points: left, bottom, right, top."""
    scale = 72 / figure.dpi
    found = []
    hidden = {id(label) for axes in figure.axes for label in undrawn_labels(axes)}
    for text in figure.findobj(Text):
        if id(text) not in hidden and text.get_visible() and text.get_text().strip():
            box = text.get_window_extent()
            found.append((text.get_text(), (box.x0 * scale, box.y0 * scale, box.x1 * scale, box.y1 * scale)))
    return found


def clashes(figure: Figure) -> list[str]:
    """What leaves the page or covers another text."""
    width, height = (72 * inches for inches in figure.get_size_inches())
    texts = texts_of(figure)
    wrong = [text for text, box in texts if box[0] < 0 or box[1] < 0 or box[2] > width or box[3] > height]
    for (one, first), (other, second) in itertools.combinations(texts, 2):
        overlap = [
            min(first[2], second[2]) - max(first[0], second[0]),
            min(first[3], second[3]) - max(first[1], second[1]),
        ]
        if min(overlap) > _SLACK and one != other:
            wrong.append(f"{one[:40]!r} covers {other[:40]!r}")
    return wrong


@pytest.mark.parametrize("count", [5, 9, 24, 40])
def test_the_first_pages_hold_everything_without_clashes(metrics, count: int) -> None:
    crowd = many(metrics, count)
    figures = drawn(summary.draw, crowd)
    words = " ".join(text.replace("\n", " ") for figure in figures for text, _ in texts_of(figure))
    assert all(name in words for name in crowd["victims"])
    assert all(sentence in words for _, sentence in verdict_sentences(crowd))
    assert all(victim["file"]["sha256"] in words for victim in crowd["victims"].values())
    assert [problem for figure in figures for problem in clashes(figure)] == []


def test_wide_sentences_stay_in_the_box_of_the_verdict(metrics) -> None:
    wide = many(metrics, 2)
    wide["separation"] = [
        {"pool": name, "verdict": "may", "images": 9, "auroc_confidence": 0.8, "auroc_features": 0.92}
        for name in ("animal_mnist", "animal_mnist x3", "wwwwww.mmmmmm")
    ]
    (page,) = drawn(summary.draw, wide)
    (axes,) = [axes for axes in page.axes if any(text.get_text() == "Verdict" for text in axes.texts)]
    edge = axes.get_window_extent().x1
    assert any("wwwwww.mmmmmm" in text.get_text() for text in axes.texts)
    assert [text.get_text() for text in axes.texts if text.get_window_extent().x1 > edge] == []


@pytest.mark.parametrize("count", [2, 3, 4, 24])
@pytest.mark.parametrize("draw", PAGES, ids=lambda draw: draw.__module__.rpartition(".")[2])
def test_no_page_has_clashes(metrics, draw, count: int) -> None:
    crowd = many(metrics, count)
    for victim in crowd["victims"].values():
        # As if quantization had cost accuracy: the compression page then shows every layer.
        rows = [{**row, "signal_to_noise_db": 31.2, "added_noise_share": 0.004} for row in LAYERS]
        victim["quantization"].update(layers=rows, worst_layer=rows[0]["layer"], accuracy_lost_points=3.5)
    assert [problem for figure in drawn(draw, crowd) for problem in clashes(figure)] == []


def test_clashes_are_seen(metrics) -> None:
    """The page that is made for a few victims cannot hold nine, and this is how it shows."""
    crowd = many(metrics, 9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary, "MOST_COLUMNS", 100)
        patch.setattr(summary, "_OF_CHART", 100.0)
        (page,) = drawn(summary.draw, crowd)
    assert len(clashes(page)) > 10


def test_a_few_victims_stay_on_one_page(metrics) -> None:
    assert len(drawn(summary.draw, metrics)) == 1
    # Two that are defended and two that are not, as the presets have them.
    assert len(drawn(summary.draw, many(metrics, 4))) == 1
    assert len(drawn(lambda found: overview.draw(found, verdict_sentences(found)), metrics)) > 1


@pytest.mark.parametrize("count", [5, 24])
def test_training_names_everybody_once_and_below_the_lines(metrics, count: int) -> None:
    crowd = many(metrics, count)
    first, *others = drawn(training.draw, crowd)
    named = [text for text, _ in texts_of(first)]
    assert set(crowd["victims"]) <= set(named)
    kept = " ".join(text for figure in others for text, _ in texts_of(figure)) or " ".join(named)
    pruned = [name for name, victim in crowd["victims"].items() if victim["training"]["channel_groups"]]
    assert all(name in kept for name in pruned)
    assert [problem for figure in others for problem in clashes(figure)] == []


def test_a_response_is_a_defence(metrics) -> None:
    crowd = many(metrics, 5)
    crowd["victims"]["undefended-number-02"]["response"] = "top1"
    sentences = [text for _, text in verdict_sentences(crowd)]
    assert any("undefended-number-02" in text for text in sentences)
    crowd["threats"] = {}
    texts = [text for _, text in verdict_sentences(crowd)]
    assert sum("was not measured" in text for text in texts) == 1
