"""Figures in ``docs/decisions`` are those of the files they were measured into."""

from __future__ import annotations

import json
from pathlib import Path

from mien.alignment import border
from mien.datasets.ours.pack_labels import _MIN_EXAMPLES, _RIDGE
from mien.runtime.detectors.finder import read_finder_card
from mien.tracking import SmoothingSettings

ROOT = Path(__file__).parents[1]


def test_the_figures_of_the_training_labels() -> None:
    page = (ROOT / "docs/decisions/0003-training-labels.md").read_text(encoding="utf-8")
    file = ROOT / "benchmarks" / "results" / "data_clicks.json"
    figures = json.loads(file.read_text(encoding="utf-8"))
    for name, row in figures["sets"].items():
        joined, teacher = row["joined_nme_inner51"], row["teacher_nme_inner51"]
        assert f"| {name} | {row['faces']} | {joined:.4f} | {teacher:.4f} |" in page
        assert joined < 0.6 * teacher
    assert f"learns from {figures['faces_learned_from']} faces" in " ".join(page.split())
    assert f"{figures['faces_whose_teachers_agree']:,} faces of 10,897" in " ".join(page.split())


def test_a_training_step_costs_no_more_than_before() -> None:
    page = (ROOT / "docs/decisions/0031-audit.md").read_text(encoding="utf-8")
    file = ROOT / "benchmarks" / "results" / "training_cost.json"
    presets = json.loads(file.read_text(encoding="utf-8"))["presets"]
    for row in presets.values():
        least, most = row["least_and_most"]
        assert f"{row['now_over_before']:.3f}" in page
        assert f"{least:.3f} to {most:.3f}" in page
        assert row["now_over_before"] < 1.02


def test_the_ridge_is_the_one_that_the_val_faces_chose() -> None:
    page = (ROOT / "docs/decisions/0015-clicked-points.md").read_text(encoding="utf-8")
    file = ROOT / "benchmarks" / "results" / "data_clicks.json"
    figures = json.loads(file.read_text(encoding="utf-8"))
    errors = {float(ridge): nme for ridge, nme in figures["mean_nme_by_ridge"].items()}
    assert errors[_RIDGE] <= 1.005 * min(errors.values())
    for ridge, nme in errors.items():
        assert f"| {ridge:g} | {nme:.5f} |" in page
    few = {int(count): nme for count, nme in figures["mean_nme_by_examples"].items()}
    for count, nme in few.items():
        assert (nme < figures["mean_nme_of_the_teacher"]) or count < _MIN_EXAMPLES
        assert f"| {count} | {nme:.4f} |" in page


def test_the_figures_of_faces_that_the_border_cuts() -> None:
    page = (ROOT / "docs/decisions/0021-border.md").read_text(encoding="utf-8")
    results = ROOT / "benchmarks" / "results"
    figures = json.loads((results / "border_looks.json").read_text(encoding="utf-8"))
    fitted = figures["constant"], figures["slope"], figures["beyond"]
    assert fitted == (border._CONSTANT, border._SLOPE, border._BEYOND)
    for name in ("fast", "nano"):
        told = figures[name]
        assert max(told["calibration_error"], told["score_calibration_error"]) < 0.05
        for key in ("calibration_error", "score_calibration_error"):
            assert f"{told[key]:.3f} (`{name}`)" in " ".join(page.split())
        file = results / f"{name}.helen_val_cut.detector.json"
        cut = json.loads(file.read_text(encoding="utf-8"))
        yaw_off, failed = cut["yaw_off_median_deg"], cut["failure_rate_07"]
        assert f"| `{name}` now | {yaw_off:.1f} | {cut['nme']:.4f} | {failed:.0%} |" in page


def test_the_figures_of_small_faces() -> None:
    page = (ROOT / "docs/decisions/0026-small-faces.md").read_text(encoding="utf-8")
    limits = " ".join((ROOT / "docs/limits.md").read_text(encoding="utf-8").split())
    file = ROOT / "benchmarks" / "results" / "small_faces.json"
    sets = json.loads(file.read_text(encoding="utf-8"))["sets"]
    for name, row in sets.items():
        one, both = row["one look"], row["with the closer look"]
        assert (
            f"| {name} | {one['faces']} | {one['found']} | {both['found']} | {one['false']} | "
            f"{both['false']} | {one['processor_ms']:.0f} | {both['processor_ms']:.0f} |"
        ) in page
        assert both["found"] >= one["found"]
    for size in (28, 20):
        row = sets[f"full HD, two faces of {size} px"]["with the closer look"]
        assert f"{row['found']} of {row['faces']}" in limits


def test_the_numbers_of_the_engine_that_were_tried() -> None:
    page = (ROOT / "docs/decisions/0027-house.md").read_text(encoding="utf-8")
    file = ROOT / "benchmarks" / "results" / "engine_numbers.json"
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert figures["of_no_use"] == []
    assert len(figures["numbers"]) == figures["tried"]
    assert f"of {figures['tried']} tried none" in page
    doubt = figures["numbers"]["render.inpainting._DOUBT_OVER"]
    assert f"in a thousand by {doubt['million']['most']:.0f} grey levels" in page


def test_the_figures_of_the_face_finder() -> None:
    page = (ROOT / "docs/decisions/0022-finder.md").read_text(encoding="utf-8")
    file = ROOT / "benchmarks" / "results" / "finder.json"
    figures = json.loads(file.read_text(encoding="utf-8"))
    for name, of_set in figures["sets"].items():
        usual, own = of_set["centerface"], of_set["finder"]
        missed = f"{usual['faces']} | {usual['missed']} | {own['missed']}"
        assert f"| {name} | {missed} | {usual['ms']:.1f} | {own['ms']:.1f} |" in page
    card = read_finder_card(ROOT / "src/mien/weights/finder.onnx")
    assert card.sha256 == figures["finder"]["sha256"]
    assert card.score == figures["finder"]["chosen_score"]


def test_the_figures_of_starts_and_what_they_claim() -> None:
    page = (ROOT / "docs/decisions/0018-starts.md").read_text(encoding="utf-8")
    file = ROOT / "benchmarks" / "results" / "starts.json"
    for model, figures in json.loads(file.read_text(encoding="utf-8")).items():
        for start, ways in figures["rows"].items():
            for way, row in ways.items():
                told = f"| {model}, {figures['faces']} | {start} | {way} | {row['nme']:.4f} |"
                assert told in page
        rolled = figures["rows"]["rolled by any angle"]
        assert rolled["starts"]["nme"] < 0.2 * rolled["one look"]["nme"]
        upright = figures["rows"]["true box"]
        assert upright["starts"]["nme"] < 1.02 * upright["one look"]["nme"]
        assert upright["careful"]["nme"] < upright["one look"]["nme"]


def test_the_figures_of_second_looks_in_films() -> None:
    page = (ROOT / "docs/decisions/0023-second-looks.md").read_text(encoding="utf-8")
    file = ROOT / "benchmarks" / "results" / "wrong_frames.json"
    kinds = {"val": "made", "real": "real"}
    for name, models in json.loads(file.read_text(encoding="utf-8")).items():
        for model, one in models.items():
            told = {"once": "one look", "looked_again": "second looks"}
            for way, words in told.items():
                row = one[way]
                runs = row["crops_of_model_1_a_face"] + row["crops_of_model_2_a_face"]
                start = f"| {one['clips']} {kinds[name]}, {model} | {words} | {row['faces']} "
                assert f"{start}| {row['wrong']} | {runs:.2f} |" in page
                if "mean_error" in row:
                    rest = f"{row['mean_error']:.4f} | {row['above_0.07']:.1%} | {row['missed']}"
                    assert f"| {runs:.2f} | {rest} | {row['id_switches']} |" in page
            before, after = one["once"], one["looked_again"]
            assert after["wrong"] < before["wrong"]
            if "mean_error" in before:
                assert after["wrong"] < 0.7 * before["wrong"]
                assert after["mean_error"] < before["mean_error"]
                assert after["missed"] <= 1.05 * before["missed"]


def test_the_figures_of_more_looks() -> None:
    page = (ROOT / "docs/decisions/0035-more-looks.md").read_text(encoding="utf-8")
    file = ROOT / "benchmarks" / "results" / "looks.json"
    figures = json.loads(file.read_text(encoding="utf-8"))
    fast, nano = figures["fast"], figures["nano"]
    assert f"{fast['faces']} with `fast`, {nano['faces']} with `nano`" in page
    rows = fast["true box"], nano["true box"], nano["displaced box"]
    for way in ("again", "mean with mirror", "mean with pico", "careful", "careful, pico a quarter",
                "box of the projected mean head", "mean with box of the projected mean head",
                "mean with model 1 on the aligned crop", "mean with mirror, pico a third",
                "free of aliasing", "moved by half a cell either way"):  # fmt: skip
        cells = [f"{row[way]['change']:+.1%} ± {row[way]['deviation']:.1%}" for row in rows]
        assert f"| {' | '.join(cells).replace('%', '')} |" in page, way
    built = "mean with box of the projected mean head"
    assert all(row[built]["change"] < -0.02 for row in rows[:2])


def test_the_figures_of_a_still_face() -> None:
    page = (ROOT / "docs/decisions/0035-more-looks.md").read_text(encoding="utf-8")
    file = ROOT / "benchmarks" / "results" / "still.json"
    figures = json.loads(file.read_text(encoding="utf-8"))
    fast, nano = figures["fast"]["rows"]["one"], figures["nano"]
    crops = [fast, *nano["rows"].values()]
    for name in ("rest 1.5, shake 0.0", "rest 2.5, shake 0.0", "rest 2.5, shake 0.06"):
        cells = [
            f"{100 * row[name]['jitter']:.3f} / {row[name]['lag_frames']:.2f}" for row in crops
        ]
        assert f"| {' | '.join(cells)} |" in page, name
    ships = SmoothingSettings()
    assert fast[f"rest {ships.rest_hz}, shake {ships.shake}"]["jitter"] < 0.0015
    before, more = (nano["clips"][f"rest {name}"] for name in ("2.5, shake 0.0", "1.5, shake 0.1"))
    assert all(more[name] < 1.002 * before[name] for name in before)


def test_the_figures_of_covered_points() -> None:
    page = (ROOT / "docs/decisions/0035-more-looks.md").read_text(encoding="utf-8")
    file = ROOT / "benchmarks" / "results" / "covered.json"
    for row in json.loads(file.read_text(encoding="utf-8"))["fast"].values():
        if not isinstance(row, dict) or "confidence_covered" not in row:
            continue
        pairs = [
            f"{row[f'confidence_{which}']:.2f} / {row[f'right_{which}']:.2f}"
            for which in ("covered", "others")
        ]
        errors = [
            f"{row[f'calibration_error_{which}_photos']:.3f}" for which in ("covered", "plain")
        ]
        assert f"| {' | '.join([*pairs, *errors])} |" in page


def test_the_figures_of_faces_behind_others() -> None:
    page = (ROOT / "docs/decisions/0034-what-was-tried-against-misses.md").read_text("utf-8")
    file = ROOT / "benchmarks" / "results" / "held_faces.json"
    nano = json.loads(file.read_text(encoding="utf-8"))["models"]["nano"]
    for name, key in (("seen alone", "seen_alone"), ("held too", "held")):
        row = nano[key]
        counts = "missed", "missed_seen", "switches", "false_tracks", "false_faces"
        told = " | ".join(str(row[one]) for one in counts)
        shares = f"{row['nme']:.4f} | {100 * row['failure_rate_07']:.1f} %"
        assert f"| {name} | {told} | {shares} |" in page
    assert nano["held"]["missed"] < 0.4 * nano["seen_alone"]["missed"]
    assert nano["held"]["switches"] <= nano["seen_alone"]["switches"]
    assert nano["held"]["false_tracks"] <= nano["seen_alone"]["false_tracks"]
