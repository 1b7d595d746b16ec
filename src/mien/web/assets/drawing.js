// Points over a picture, and the head in 3D.

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Size a canvas to its box in device pixels; its context in CSS pixels, and that box. */
export function fitted(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** Red at 0, yellow at 0.5, green-blue at 1. */
function confidenceColour(share) {
  const stops = [[235, 50, 40], [250, 205, 60], [50, 225, 190]];
  const place = Math.min(Math.max(share, 0), 1) * 2, first = Math.min(Math.floor(place), 1);
  const mixed = stops[first].map((v, i) => Math.round(v + (stops[first + 1][i] - v) * (place - first)));
  return `rgb(${mixed})`;
}

/** Draw a picture into its canvas with the faces on it. Pixel centres lie at integers, as in mien. */
export function drawPicture(canvas, picture, size, faces, markup, showPoints) {
  const [width, height] = size;
  // Small pictures are enlarged, so that points stay small and lines smooth.
  const scale = Math.max(1, Math.min(3, 1280 / Math.max(width, height)));
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  if (!showPoints) return;
  context.scale(scale, scale);
  context.translate(0.5, 0.5);
  for (const face of faces) drawFace(context, face, markup, scale);
  context.setTransform(1, 0, 0, 1, 0, 0);
}

function drawFace(context, face, markup, scale) {
  const [left, top, right, bottom] = face.box;
  const size = Math.sqrt(Math.max((right - left) * (bottom - top), 1));
  const margin = 0.06 * size;
  context.lineWidth = Math.max(2 / scale, size / 260);
  context.strokeStyle = face.colour;
  context.beginPath();
  context.roundRect(left - margin, top - margin, right - left + 2 * margin, bottom - top + 2 * margin, margin);
  context.stroke();
  context.strokeStyle = "rgba(236, 240, 244, 0.85)";
  context.lineWidth = Math.max(1.2 / scale, size / 320);
  for (const part of markup.parts) {
    context.beginPath();
    part.indices.forEach((index, n) => {
      const x = face.points[3 * index], y = face.points[3 * index + 1];
      if (n) context.lineTo(x, y); else context.moveTo(x, y);
    });
    if (part.closed) context.closePath();
    context.stroke();
  }
  const radius = Math.max(1.6 / scale, 0.0105 * size);
  context.lineWidth = radius * 0.5;
  context.strokeStyle = "rgba(16, 20, 28, 0.9)";
  for (let point = 0; point < face.confidence.length; point++) {
    context.beginPath();
    context.arc(face.points[3 * point], face.points[3 * point + 1], radius, 0, 2 * Math.PI);
    context.stroke();
    context.fillStyle = confidenceColour(face.confidence[point]);
    context.fill();
  }
}

/** Let drags change an angle about the upright and one about the level axis; a double click undoes them. */
export function turnByDrags(canvas, turn, redraw) {
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    const sign = canvas.classList.contains("mirrored") ? -1 : 1;
    turn[0] += sign * event.movementX * 0.01;
    turn[1] = Math.max(-1.5, Math.min(1.5, turn[1] - event.movementY * 0.01));
    redraw();
  });
  canvas.addEventListener("dblclick", () => { turn.fill(0); redraw(); });
}

/** The head of the points themselves, lit from the viewer's upper left; drags turn it further. */
export class Head {
  constructor(canvas) {
    this.canvas = canvas;
    this.turn = [0, 0];
    this.redraw = () => {};
    turnByDrags(canvas, this.turn, () => this.redraw());
  }

  draw(face, markup) {
    const { context, width, height } = fitted(this.canvas);
    if (!face || !markup) return;
    const points = this.placed(face, width, height);
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const sheets = markup.triangles.map((corners) => {
      const [a, b, c] = corners.map((corner) => points[corner]);
      return { a, b, c, depth: a[2] + b[2] + c[2] };
    }).sort((one, other) => other.depth - one.depth);
    for (const { a, b, c } of sheets) {
      const u = [b[0] - a[0], b[1] - a[1], b[2] - a[2]], v = [c[0] - a[0], c[1] - a[1], c[2] - a[2]];
      const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      const length = Math.hypot(...n) || 1;
      // z goes away from the viewer: a sheet that faces them has a normal towards -z, either way round.
      const sign = n[2] > 0 ? -1 : 1;
      const light = Math.max(0, (sign * (-0.35 * n[0] - 0.45 * n[1] - 0.82 * n[2])) / length);
      const tone = dark ? 22 + 46 * light : 52 + 40 * light;
      context.fillStyle = context.strokeStyle = `hsl(217 ${dark ? 34 : 42}% ${tone}%)`;
      context.lineWidth = 0.8;
      context.beginPath();
      context.moveTo(a[0], a[1]); context.lineTo(b[0], b[1]); context.lineTo(c[0], c[1]);
      context.closePath();
      context.fill(); context.stroke();
    }
    this.lines(context, points, markup);
  }

  placed(face, width, height) {
    const [left, top, right, bottom] = face.box;
    const count = face.confidence.length;
    const mean = [0, 0, 0];
    for (let i = 0; i < 3 * count; i++) mean[i % 3] += face.points[i] / count;
    let spread = 0;
    for (let i = 0; i < 3 * count; i++) spread += (face.points[i] - mean[i % 3]) ** 2 / count;
    const scale = 0.33 * Math.min(width, height) / (Math.sqrt(spread) || right - left + bottom - top);
    const [sy, cy] = [Math.sin(this.turn[0]), Math.cos(this.turn[0])];
    const [sx, cx] = [Math.sin(this.turn[1]), Math.cos(this.turn[1])];
    const placed = [];
    for (let i = 0; i < count; i++) {
      const [x, y, z] = [0, 1, 2].map((axis) => scale * (face.points[3 * i + axis] - mean[axis]));
      const x1 = cy * x - sy * z, z1 = sy * x + cy * z;
      placed.push([width / 2 + x1, height / 2 + cx * y - sx * z1, sx * y + cx * z1]);
    }
    return placed;
  }

  lines(context, points, markup) {
    const depths = points.map((point) => point[2]);
    const near = Math.min(...depths), far = Math.max(...depths);
    const faded = (depth) => 1 - 0.75 * (depth - near) / (far - near || 1);
    context.strokeStyle = css("--main");
    context.fillStyle = css("--ink");
    for (const part of markup.parts) {
      const run = part.closed ? [...part.indices, part.indices[0]] : part.indices;
      for (let n = 1; n < run.length; n++) {
        const a = points[run[n - 1]], b = points[run[n]];
        context.globalAlpha = faded((a[2] + b[2]) / 2);
        context.lineWidth = 0.8 + 1.4 * context.globalAlpha;
        context.beginPath(); context.moveTo(a[0], a[1]); context.lineTo(b[0], b[1]); context.stroke();
      }
    }
    for (const [x, y, z] of points) {
      context.globalAlpha = faded(z);
      context.beginPath(); context.arc(x, y, 0.8 + 1.1 * context.globalAlpha, 0, 2 * Math.PI); context.fill();
    }
    context.globalAlpha = 1;
  }
}
