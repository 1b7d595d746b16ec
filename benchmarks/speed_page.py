"""Make docs/speed.md of the result files; with --check, say whether it is what they say.

python benchmarks/speed_page.py [--check]
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from provenance import weights_of
from sections import run_page

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "speed.md"
RIVAL = "MediaPipe Face Mesh"
RIVALS, BENCH, SIZE = "rivals_speed.json", "bench_speed.json", "install_size.json"
ENGINES, THROUGHPUT = "engines.json", "throughput.json"


def page(folder: Path = HERE / "results") -> str:
    """The whole page."""
    rivals, bench, size, engines, throughput = (
        json.loads((folder / name).read_text())
        for name in (RIVALS, BENCH, SIZE, ENGINES, THROUGHPUT)
    )
    lines = [
        "# Speed and size",
        "",
        "Processor time is that of all threads, which other work on a machine spoils less than",
        "frames a second. `mien bench` measures a machine of yours.",
        "",
        "## Beside MediaPipe Face Mesh",
        "",
        f"{rivals['rival']}, {rivals['cores']} cores; {rivals['clip']}; decoding included,",
        "nothing drawn. The systems ran in turns; a ratio is the median over the rounds of ours by",
        "theirs.",
        *_wrapped(rivals.get("note", "")),
        "",
        *_ratio_table(rivals),
        "",
        "Both search for further faces while they follow fewer than are asked for: MediaPipe in",
        "every frame, mien once a second, and in a third of that where the picture changes.",
        "",
        "![Error against processor time](images/error-and-cost.png)",
        "",
        "MediaPipe's error came with the data (`benchmarks/rivals.json`).",
        "",
        *_system_table(rivals),
        "",
        f"`{rivals['command']}`: `benchmarks/results/{RIVALS}`.",
        *_before(rivals),
        "",
        "## Models, faces, sizes",
        "",
        *_load(bench),
        "",
        *_bench_table(bench),
        "",
        *_crowd_lines(bench),
        "",
        *_start_table(bench),
        "",
        f"`{bench['command']}`: `benchmarks/results/{BENCH}`.",
        "",
        *_live_part(throughput, engines),
        *_engine_part(engines),
        "## The base install",
        "",
        *_size_table(size),
        "",
        f"`{size['command']}`: `benchmarks/results/{SIZE}`.",
        "",
    ]
    return "\n".join(lines)


def _before(rivals: dict[str, Any]) -> list[str]:
    """An older revision's processor time, and today's of the same pair."""
    before, systems = rivals.get("before"), rivals["systems"]
    if before is None:
        return []
    told = ", ".join(f"{name} {one['cpu_ms']:.2f}" for name, one in before["ratios"].items())
    nano, theirs = systems["nano, up to 8 faces"], systems[RIVAL]
    return [
        "",
        f"Before (revision {before['revision']}) it took, times MediaPipe's processor time: {told}",
        f"({before['note']}).",
        f"`nano` in the same pairing now: {nano['cpu_ms'] / theirs['cpu_ms']:.2f}.",
    ]


def _load(bench: dict[str, Any]) -> list[str]:
    """Whether the machine had other work: mien by itself keeps a core or two busy."""
    load = f"{bench['cores']} cores, load average {bench['load_average']} at the end:"
    if bench["load_average"] <= bench["cores"]:
        return [f"{load} no more than mien makes by itself."]
    return [
        f"{load} other work ran beside it,",
        "which makes wall times long and processor times longer.",
    ]


def _wrapped(note: str) -> list[str]:
    return [note] if note else []


def _ratio_table(rivals: dict[str, Any]) -> list[str]:
    rows = [
        "| mien | against | processor time a frame | frames/s | processor time of a photo |",
        "|---|---|---|---|---|",
    ]
    for name, one in rivals["ratios"].items():
        rows.append(
            f"| {name} | {one['against']} | {one['cpu_ms']:.2f} | {one['fps']:.2f} "
            f"| {_or_dash(one, 'photo_cpu_ms')} |"
        )
    return rows


def _or_dash(one: dict[str, Any], name: str) -> str:
    return f"{one[name]:.1f}" if name in one else "-"


def _system_table(rivals: dict[str, Any]) -> list[str]:
    rows = [
        "| | processor ms | frames/s | update, ms: median | 95 % | photo, processor ms |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in rivals["systems"].items():
        rows.append(
            f"| {name} | {one['cpu_ms']:.2f} | {one['fps']:.0f} | {one['update_ms_median']:.1f} "
            f"| {one['update_ms_p95']:.1f} | {_or_dash(one, 'photo_cpu_ms')} |"
        )
    return rows


def _bench_table(bench: dict[str, Any]) -> list[str]:
    rows = [
        "| model | faces | picture | frames/s | processor ms | median | 95 % | detect | landmarks "
        "| rest | decode | MB |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in bench["cases"]:
        stages = one["stages_ms"]
        rows.append(
            f"| {one['model']} | {one['faces']} | {one['height']}p | {one['fps']:.1f} "
            f"| {one['cpu_ms']:.1f} | {one['update_ms_median']:.1f} | {one['update_ms_p95']:.1f} "
            f"| {stages['detect']:.1f} | {stages['landmarks']:.1f} | {stages['rest']:.1f} "
            f"| {stages['decode']:.1f} | {one['peak_mb']:.0f} |"
        )
    return rows


def _crowd_lines(bench: dict[str, Any]) -> list[str]:
    """What twelve faces cost against one."""
    by_case = {(one["model"], one["height"], one["faces"]): one for one in bench["cases"]}
    lines = []
    for model, height, faces in by_case:
        one, many = by_case.get((model, height, 1)), by_case[model, height, faces]
        if faces == 12 and one is not None:
            cost, wall = many["cpu_ms"] / one["cpu_ms"], one["fps"] / many["fps"]
            lines.append(
                f"- `{model}`, {height}p: twelve faces cost {cost:.1f} times the processor time of "
                f"one, and {wall:.1f} times the time on the wall."
            )
    return lines


def _start_table(bench: dict[str, Any]) -> list[str]:
    rows = [
        "| model | fresh process to the faces of a photo, s | processor s | photo, warm, ms "
        "| processor ms |",
        "|---|---|---|---|---|",
    ]
    for one in bench["start_up"]:
        rows.append(
            f"| {one['model']} | {one['first_result_secs']:.2f} "
            f"| {one['first_result_cpu_secs']:.2f} | {one['photo_ms']:.1f} "
            f"| {one['photo_cpu_ms']:.1f} |"
        )
    return rows


def _live_part(throughput: dict[str, Any], engines: dict[str, Any]) -> list[str]:
    return [
        "## Live, and with two workers",
        "",
        *_live_table(throughput),
        "",
        *_worker_lines(throughput),
        *_matrix_lines(throughput, engines),
        "",
        f"`{throughput['command']}`: `benchmarks/results/{THROUGHPUT}`.",
        "",
    ]


def _engine_part(engines: dict[str, Any]) -> list[str]:
    return [
        "## OpenVINO instead of onnxruntime",
        "",
        "`--model fast:openvino` (`pip install 'mien[openvino]'`) runs the same files in the",
        "number format that the processor multiplies fastest, so points differ by machine.",
        "The report that OpenVINO sends over the network at each import is kept from being sent.",
        "",
        *_engine_table(engines),
        "",
        "Times: model 2, one crop. Errors: true points, mean over all of AFLW2000-3D, and the 51",
        f"inner points of helen's test photos.{_of_earlier(engines['networks'])}",
        "",
        f"`{engines['command']}`: `benchmarks/results/{ENGINES}`.",
        "",
    ]


def _live_table(throughput: dict[str, Any]) -> list[str]:
    """Of a clip that is played as a camera would give it."""
    rows = [
        "| model | camera, frames/s | tracked, frames/s | dropped | latency, ms: median | 95 % |",
        "|---|---|---|---|---|---|",
    ]
    for one in throughput["live"]:
        share = one["frames_dropped"] / one["frames_arrived"]
        rows.append(
            f"| {one['model']} | {one['rate']} | {one['fps']:.1f} | {share:.1%} "
            f"| {one['latency_ms_median']:.1f} | {one['latency_ms_p95']:.1f} |"
        )
    return rows


def _worker_lines(throughput: dict[str, Any]) -> list[str]:
    """What a second process gains."""
    return [
        f"- `{one['model']}`: two workers are {one['gain_over_one_core']:.2f} times as fast as one "
        f"that is held to one core, {one['gain']:.2f} times as one that may use all and uses "
        f"{one['cores_one_worker_uses']:.2f} ({one['clips']} clips of "
        f"{one['frames'] // one['clips']} frames)."
        for one in throughput["workers"]
    ]


def _matrix_lines(throughput: dict[str, Any], engines: dict[str, Any]) -> list[str]:
    """How near the networks come to what the machine's matrix products do."""
    rate = throughput["matrix_gflops_per_s"]["1"]
    lines = []
    for model, one in engines["models"].items():
        ms, least_ms = one["ms"]["1"]["onnxruntime"], 1e3 * one["gflops"] / rate
        lines.append(
            f"- `{model}`, one thread: {ms:.2f} ms a face, {ms / least_ms:.1f} times what its "
            f"{one['gflops']:.2f} GFLOPs take at the rate of numpy's matrix products "
            f"({rate:.0f} GFLOP/s)."
        )
    return lines


def _of_earlier(networks: dict[str, str]) -> str:
    """Which of the measured networks no longer ship, in a sentence; nothing where all do."""
    models = {file.removesuffix(".onnx").rpartition("-")[0] for file in networks}
    shipped = weights_of(*sorted(models))
    others = [f"`{file}`" for file, digest in networks.items() if shipped[file] != digest]
    return f" Of {', '.join(others)} before its newest weights." if others else ""


def _engine_table(engines: dict[str, Any]) -> list[str]:
    rows = [
        "| model | engine | number format | ms, one thread | two threads | AFLW2000-3D | helen |",
        "|---|---|---|---|---|---|---|",
    ]
    for model, one in engines["models"].items():
        for engine, error in one["error"].items():
            form = one["number_format"] if engine == "openvino" else "f32"
            ms = " | ".join(f"{told[engine]:.2f}" for told in one["ms"].values())
            rows.append(
                f"| {model} | {engine} | {form} | {ms} | {error['aflw2000']:.4f} "
                f"| {error['helen_test_inner51']:.4f} |"
            )
    return rows


def _size_table(size: dict[str, Any]) -> list[str]:
    rows = ["| | before | now |", "|---|---|---|"]
    before, now = size["before"], size["now"]
    for words, key in (
        ("brought by `pip install .`, MB", "brought_mb"),
        ("the whole environment, MB", "environment_mb"),
    ):
        rows.append(f"| {words} | {before[key]:.0f} | {now[key]:.0f} |")
    folders = {**before["folders_mb"], **now["folders_mb"]}
    for name in sorted(folders, key=lambda one: -folders[one]):
        told = [
            f"{part['folders_mb'][name]:.0f}" if name in part["folders_mb"] else "-"
            for part in (before, now)
        ]
        if folders[name] >= 10:
            rows.append(f"| `{name}` | {told[0]} | {told[1]} |")
    return rows


def main() -> None:
    run_page(PAGE, page, (__doc__ or "").splitlines()[0])


if __name__ == "__main__":
    main()
