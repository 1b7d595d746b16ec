// The animated head of a .glb file, in WebGL: turned as the file says, lit from the viewer's upper left.

import { turnByDrags } from "./drawing.js";
import { Glb } from "./glb.js";

// A pinhole a metre before the middle of the head, as far as WebGL's depths of -1 to 1 allow.
const VERTEX = `#version 300 es
in vec3 place; in vec3 normal;
uniform mat3 turn; uniform vec2 scale;
out vec3 facing;
void main() {
  vec3 seen = turn * place;
  facing = turn * normal;
  float nearer = 1.0 / (1.0 - seen.z);  // a metre off
  gl_Position = vec4(seen.xy * scale * nearer, -seen.z, 1.0);
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec3 facing;
uniform vec3 colour;
out vec4 shown;
void main() {
  vec3 to = normalize(gl_FrontFacing ? facing : -facing);
  float light = max(dot(to, normalize(vec3(-0.35, 0.45, 0.82))), 0.0);
  shown = vec4(pow(colour * (0.22 + 0.85 * light), vec3(1.0 / 2.2)), 1.0);  // factors of glTF are linear
}`;
const HALF_HEIGHT = 0.17;  // metres of the head above and below its middle that are shown

export class Avatar {
  constructor(canvas) {
    this.canvas = canvas;
    this.turn = [0, 0];
    this.redraw = () => {};
    this.glb = this.address = null;
    turnByDrags(canvas, this.turn, () => this.redraw());
  }

  /** Fetch a file, unless it is the one that is here. */
  open(address) {
    if (address === this.address) return this.opening;
    this.address = address;
    this.glb = null;
    return this.opening = this.fetched(address);
  }

  async fetched(address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error("it is not here any more; drop the video again");
    const glb = new Glb(await answer.arrayBuffer());
    if (address === this.address) { this.prepare(glb); this.glb = glb; }
  }

  clear() {
    this.gl?.clear(this.gl.COLOR_BUFFER_BIT | this.gl.DEPTH_BUFFER_BIT);
  }

  prepare(glb) {
    const gl = this.gl ??= this.started();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers.corners);
    const all = new Uint16Array(glb.parts.reduce((sum, { corners }) => sum + corners.length, 0));
    let first = 0;
    for (const part of glb.parts) {
      part.first = first;
      all.set(part.corners, first);
      first += part.corners.length;
    }
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, all, gl.STATIC_DRAW);
    glb.corners = all;
  }

  started() {
    const gl = this.canvas.getContext("webgl2", { antialias: true, preserveDrawingBuffer: true });
    if (!gl) throw new Error("this browser has no WebGL 2; the file can be downloaded");
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    gl.enable(gl.DEPTH_TEST);
    gl.clearColor(0, 0, 0, 0);
    this.uniforms = {};
    for (const name of ["turn", "scale", "colour"]) this.uniforms[name] = gl.getUniformLocation(program, name);
    this.buffers = { corners: gl.createBuffer() };
    for (const name of ["place", "normal"]) {
      const slot = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name] = gl.createBuffer());
      gl.enableVertexAttribArray(slot);
      gl.vertexAttribPointer(slot, 3, gl.FLOAT, false, 0, 0);
    }
    return gl;
  }

  /** The head as it stands at a time of its clip, in the middle of the canvas. */
  draw(time) {
    const { gl, glb, canvas } = this;
    if (!glb) return;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    gl.viewport(0, 0, width, height);
    this.clear();
    const places = glb.shaped(time);
    for (const [name, values] of [["place", places], ["normal", normals(places, glb.corners)]]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    }
    const scale = 1 / HALF_HEIGHT * Math.min(1, width / height);
    gl.uniform2f(this.uniforms.scale, scale * height / width, scale);
    gl.uniformMatrix3fv(this.uniforms.turn, false, columns(dragged(this.turn), turned(glb.at("rotation", time))));
    for (const { first, corners, colour } of glb.parts) {
      gl.uniform3fv(this.uniforms.colour, colour);
      gl.drawElements(gl.TRIANGLES, corners.length, gl.UNSIGNED_SHORT, 2 * first);
    }
    this.time = time;
  }
}

function normals(places, corners) {
  const found = new Float32Array(places.length);
  for (let n = 0; n < corners.length; n += 3) {
    const a = 3 * corners[n], b = 3 * corners[n + 1], c = 3 * corners[n + 2];
    const ux = places[b] - places[a], uy = places[b + 1] - places[a + 1], uz = places[b + 2] - places[a + 2];
    const vx = places[c] - places[a], vy = places[c + 1] - places[a + 1], vz = places[c + 2] - places[a + 2];
    const x = uy * vz - uz * vy, y = uz * vx - ux * vz, z = ux * vy - uy * vx;
    for (const at of [a, b, c]) { found[at] += x; found[at + 1] += y; found[at + 2] += z; }
  }
  return found;
}

/** Rows of the matrix of a quaternion x, y, z, w. */
function turned([x, y, z, w]) {
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
    [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
    [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
  ];
}

function dragged([about, over]) {
  const [sy, cy, sx, cx] = [Math.sin(about), Math.cos(about), Math.sin(over), Math.cos(over)];
  return [[cy, 0, sy], [-sx * -sy, cx, -sx * cy], [cx * -sy, sx, cx * cy]];
}

/** The product of two, column after column, as WebGL takes it. */
function columns(a, b) {
  const found = [];
  for (let column = 0; column < 3; column++) {
    for (let row = 0; row < 3; row++) {
      found.push(a[row][0] * b[0][column] + a[row][1] * b[1][column] + a[row][2] * b[2][column]);
    }
  }
  return found;
}
