// A reader of binary glTF 2.0: one animated mesh with morph targets, as mien writes it.

const ARRAYS = { 5121: Uint8Array, 5123: Uint16Array, 5125: Uint32Array, 5126: Float32Array };
const WIDTHS = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4 };

/** The two chunks of a file: its tree, and the bytes of its buffer. */
function chunks(data) {
  const view = new DataView(data);
  if (view.getUint32(0, true) !== 0x46546c67 || view.getUint32(4, true) !== 2) {
    throw new Error("this is no binary glTF 2.0");
  }
  let tree = null, bytes = null;
  for (let at = 12; at < view.getUint32(8, true);) {
    const size = view.getUint32(at, true), kind = view.getUint32(at + 4, true);
    if (kind === 0x4e4f534a) tree = JSON.parse(new TextDecoder().decode(new Uint8Array(data, at + 8, size)));
    if (kind === 0x004e4942) bytes = data.slice(at + 8, at + 8 + size);
    at += 8 + size;
  }
  if (!tree || !bytes) throw new Error("this binary glTF lacks its tree or its buffer");
  return { tree, bytes };
}

export class Glb {
  constructor(data) {
    const { tree, bytes } = chunks(data);
    Object.assign(this, { tree, bytes });
    const node = tree.nodes.findIndex((one) => one.mesh !== undefined);
    const mesh = tree.meshes[tree.nodes[node].mesh];
    this.names = mesh.extras?.targetNames ?? [];
    const [first] = mesh.primitives;
    this.positions = this.array(first.attributes.POSITION);
    this.targets = (first.targets ?? []).map((target) => this.moves(target.POSITION));
    this.parts = mesh.primitives.map((primitive) => ({
      corners: this.array(primitive.indices),
      colour: tree.materials[primitive.material].pbrMetallicRoughness.baseColorFactor.slice(0, 3),
    }));
    this.channels = {};
    for (const { target, sampler } of tree.animations[0].channels) {
      if (target.node !== node) continue;
      const { input, output } = tree.animations[0].samplers[sampler];
      const times = this.array(input), values = this.array(output);
      this.channels[target.path] = { times, values, width: values.length / times.length };
    }
  }

  view(number, kind, count, offset = 0) {
    const start = (this.tree.bufferViews[number].byteOffset ?? 0) + offset;
    return new ARRAYS[kind](this.bytes, start, count);
  }

  array(number) {
    const { bufferView, byteOffset, componentType, count, type } = this.tree.accessors[number];
    return this.view(bufferView, componentType, count * WIDTHS[type], byteOffset);
  }

  /** What a target moves: sparse, or every vertex. */
  moves(number) {
    const { sparse, componentType, count } = this.tree.accessors[number];
    if (!sparse) return { places: Uint32Array.from({ length: count }, (_, n) => n), values: this.array(number) };
    return {
      places: this.view(sparse.indices.bufferView, sparse.indices.componentType, sparse.count, sparse.indices.byteOffset),
      values: this.view(sparse.values.bufferView, componentType, 3 * sparse.count, sparse.values.byteOffset),
    };
  }

  /** Linear between keys, held before the first and after the last; a rotation stays of length 1. */
  at(path, time) {
    const { times, values, width } = this.channels[path];
    let low = 0, high = times.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle; else high = middle;
    }
    const span = times[high] - times[low];
    const share = span > 0 ? Math.min(Math.max((time - times[low]) / span, 0), 1) : 0;
    const found = new Float32Array(width);
    for (let n = 0; n < width; n++) {
      found[n] = (1 - share) * values[low * width + n] + share * values[high * width + n];
    }
    if (path !== "rotation") return found;
    const length = Math.hypot(...found) || 1;
    return found.map((one) => one / length);
  }

  weights(time) { return this.at("weights", time); }

  /** Vertices of the head with its shapes, unturned, metres. */
  shaped(time) {
    const moved = Float32Array.from(this.positions);
    this.weights(time).forEach((weight, number) => {
      if (!weight) return;
      const { places, values } = this.targets[number];
      for (let n = 0; n < places.length; n++) {
        for (let axis = 0; axis < 3; axis++) moved[3 * places[n] + axis] += weight * values[3 * n + axis];
      }
    });
    return moved;
  }
}
