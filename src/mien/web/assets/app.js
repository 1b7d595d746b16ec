// The page: joins the sources to what shows them.

import { Avatar } from "./avatar.js";
import { Curves } from "./curves.js";
import { Head, drawPicture } from "./drawing.js";
import { Camera, Upload } from "./sources.js";

const byId = (id) => document.getElementById(id);
const LIVE_SECS = 10;

const head = new Head(byId("head"));
const avatar = new Avatar(byId("avatar"));
const poseCurves = new Curves(byId("pose-curves"), [
  { name: "yaw", colour: "--c1" }, { name: "pitch", colour: "--c2" }, { name: "roll", colour: "--c3" },
], -90, 90, [-60, 0, 60], "°");
const openCurves = new Curves(byId("open-curves"), [
  { name: "eye right", colour: "--c1" }, { name: "eye left", colour: "--c3" }, { name: "mouth", colour: "--c2" },
], 0, 0.5, [0, 0.2, 0.4]);

/** What is shown now. A script of yours may read it: `mien.message` is the last answer. */
const mien = globalThis.mien = {
  about: null, source: null, message: null, picture: null, chosen: null, frames: [], done: false, heads: [], avatar,
};

fetch("about.json").then((answer) => answer.json()).then((about) => {
  mien.about = about;
  byId("about").textContent = `${about.points} points in 3D, model ${about.model}, on this machine alone`;
  byId("absent").textContent = `Not in this model: ${Object.keys(about.absent).join(", ")}`;
});

function faceShown() {
  const faces = mien.message?.faces ?? [];
  const largest = [...faces].sort((a, b) => area(b) - area(a))[0];
  return faces.find((face) => face.track_id === mien.chosen) ?? largest ?? null;
}

const area = ({ box }) => (box[2] - box[0]) * (box[3] - box[1]);
const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

/** The one drawing of everything that belongs to a frame. */
function show(message, picture) {
  mien.message = message;
  if (picture) mien.picture = picture;
  redraw();
}

function redraw() {
  const { message, picture, about } = mien;
  if (!message || !about) return;
  document.body.classList.remove("fresh");
  byId("empty").hidden = true;
  byId("frame").hidden = false;
  if (picture) drawPicture(byId("picture"), picture, message.size, message.faces, about, byId("points").checked);
  const face = faceShown();
  if (byId("avatar").hidden) head.draw(face, about);
  else showAvatar(face);
  showPeople(message.faces, face);
  showNumbers(face);
  showGauges(face);
  showCurves(face);
}

avatar.redraw = redraw;
head.redraw = () => head.draw(faceShown(), mien.about);

/** The followed face's own file, at the time of the frame that is shown. */
async function showAvatar(face) {
  const id = face?.track_id;
  byId("glb").hidden = !mien.heads.includes(id);
  if (!mien.heads.includes(id)) { avatar.clear(); return; }
  byId("glb").href = `${mien.results}face-${id}.glb`;
  byId("glb").download = `${mien.title}.face-${id}.glb`;
  try {
    await avatar.open(byId("glb").href);
    if (!byId("avatar").hidden) avatar.draw(mien.message.time_secs);
  } catch (error) { tell(`the head cannot be shown: ${error.message}`); }
}

function chooseAvatar(on) {
  byId("show-avatar").checked = on;
  byId("avatar").hidden = !on;
  byId("head").hidden = on;
  byId("glb").hidden = !on;
  redraw();
}

function showPeople(faces, face) {
  const place = byId("people");
  if (!faces.length) {
    place.innerHTML = '<span class="soft">no face in this frame</span>';
    return;
  }
  const key = faces.map((one) => `${one.track_id}${one === face}`).join();
  if (place.dataset.key === key && place.querySelector("button")) return;
  place.dataset.key = key;
  place.replaceChildren(...faces.map((one) => {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.innerHTML = `<svg viewBox="0 0 2 2"><circle cx="1" cy="1" r="1" fill="${one.colour}"/></svg>face ${one.track_id}`;
    chip.setAttribute("aria-pressed", one === face);
    chip.addEventListener("click", () => { mien.chosen = one.track_id; redraw(); });
    return chip;
  }));
}

function showNumbers(face) {
  const degrees = (value) => `${value.toFixed(1)}°`;
  const told = face ? [...face.pose_deg.map(degrees), face.score.toFixed(2), mean(face.confidence).toFixed(2)]
    : Array(5).fill("–");
  ["yaw", "pitch", "roll", "score", "confidence"].forEach((id, n) => { byId(id).textContent = told[n]; });
}

function showGauges(face) {
  const place = byId("gauges");
  for (const [name, value] of Object.entries(face?.gauges ?? {})) {
    let row = place.querySelector(`[data-name="${CSS.escape(name)}"]`);
    if (!row) {
      row = document.createElement("div");
      row.className = "gauge";
      row.dataset.name = name;
      row.innerHTML = "<span></span><progress></progress><span></span>";
      row.firstChild.textContent = name;
      row.children[1].max = mien.about.full_scale[name] ?? 1;
      place.append(row);
    }
    row.children[1].value = value;
    row.lastChild.textContent = value.toFixed(2);
  }
}

/** What the curves keep of a frame: a few numbers a face. */
function sampled(message) {
  const faces = {};
  for (const face of message.faces) {
    const [yaw, pitch, roll] = face.pose_deg;
    faces[face.track_id] = { yaw, pitch, roll, ...face.gauges };
  }
  return { time: message.time_secs, faces };
}

function showCurves(face) {
  const id = face?.track_id ?? mien.chosen ?? 0;
  const samples = mien.samples.map(({ time, faces }) => ({ time, values: faces[id] }));
  const last = samples.at(-1)?.time ?? 0;
  const isLive = mien.source instanceof Camera;
  const from = isLive ? Math.max(0, last - LIVE_SECS) : 0;
  const to = isLive ? Math.max(last, LIVE_SECS) : Math.max(last, 0.1);
  const now = mien.done ? mien.message.time_secs : null;
  poseCurves.draw(samples, from, to, now);
  openCurves.draw(samples, from, to, now);
}

// ---- starting and ending

function begin(source) {
  mien.source?.stop();
  Object.assign(mien, { source, message: null, picture: null, chosen: null, frames: [], samples: [], done: false, heads: [] });
  byId("heads").hidden = true;
  chooseAvatar(false);
  byId("gauges").replaceChildren();
  tell("");
  for (const id of ["progress", "table", "playing"]) byId(id).hidden = true;
  for (const id of ["fps", "latency", "dropped"]) byId(id).textContent = "–";
  player.pause();
  player.removeAttribute("src");
  byId("stop").hidden = false;
}

function ended(why) {
  byId("stop").hidden = true;
  byId("progress").hidden = true;
  tell(why);
}

function tell(text) {
  byId("notice").textContent = text;
  byId("notice").hidden = !text;
}

const arrivals = [];
function showPace() {
  const now = performance.now();
  arrivals.push(now);
  while (arrivals[0] < now - 2000) arrivals.shift();
  if (arrivals.length > 2) {
    byId("fps").textContent = ((arrivals.length - 1) / (now - arrivals[0]) * 1000).toFixed(0);
  }
}

async function useCamera() {
  const camera = new Camera((message, picture) => {
    if (mien.source !== camera) return;
    mien.samples.push(sampled(message));
    while (mien.samples[0].time < message.time_secs - LIVE_SECS - 1) mien.samples.shift();
    showPace();
    byId("latency").textContent = message.latency_ms.toFixed(0);
    byId("dropped").textContent = camera.dropped;
    show(message, picture);
  }, (why) => { if (mien.source === camera) ended(why); });
  begin(camera);
  setMirror(true);
  try {
    await camera.start();
  } catch (error) {
    const reasons = {
      NotAllowedError: "the browser was not allowed to use the webcam: allow it in the address bar",
      NotFoundError: "no webcam was found: connect one, or drop a video",
      NotReadableError: "another program holds the webcam: close it and try again",
    };
    camera.stop(reasons[error.name] ?? `the webcam cannot be used (${error.message})`);
  }
}

function useVideo(file) {
  const most = mien.about?.upload_mb ?? Infinity;
  if (file.size > most * 1e6) {
    tell(`${file.name} has ${(file.size / 1e6).toFixed(0)} MB; the most is ${most} MB`);
    return;
  }
  const percent = (part, of) => `${Math.min(100, 100 * part / of).toFixed(0)}%`;
  const advance = (part, of, text) => {
    byId("progress").hidden = false;
    byId("bar").style.width = of ? percent(part, of) : "100%";
    byId("progress-text").textContent = text;
  };
  const upload = new Upload(file, {
    onUpload: (part, of) => advance(part, of, `reading ${percent(part, of)}`),
    onFrame: (message) => {
      mien.frames.push(packed(message));
      mien.samples.push(sampled(message));
      showPace();
      const count = message.frame + 1, of = message.expected;
      advance(count, of, of ? `frame ${count} of ${of}` : `frame ${count}`);
    },
    onPreview: show,
    onDone: (done, results) => finishVideo(file, done, results),
    onEnd: (why) => { if (mien.source === upload) ended(why); },
  });
  begin(upload);
  setMirror(false);
  advance(0, 1, `reading ${file.name}`);
  upload.start();
}

/** A frame with its points as 32-bit numbers: a long video stays small in memory. */
function packed(message) {
  const faces = message.faces.map((face) => ({
    ...face, points: Float32Array.from(face.points), confidence: Float32Array.from(face.confidence),
  }));
  return { ...message, faces };
}

function finishVideo(file, done, results) {
  ended(done.note ?? "");
  const title = file.name.replace(/\.[^.]*$/, "");
  Object.assign(mien, { done: true, heads: done.heads, results, title });
  byId("heads").hidden = !done.heads.length;
  const link = byId("table");
  link.href = `${results}table.csv`;
  link.download = `${title}.csv`;
  link.hidden = false;
  byId("fps").textContent = done.fps.toFixed(0);
  if (mien.frames.length < 2) { show(mien.frames[0], null); return; }
  play(file);
}

// ---- a followed video, played with its points

const player = document.createElement("video");
player.muted = player.playsInline = player.loop = true;

function play(file) {
  if (player.src) URL.revokeObjectURL(player.src);
  player.src = URL.createObjectURL(file);
  byId("playing").hidden = false;
  byId("seek").max = mien.frames.at(-1).time_secs;
  player.onerror = () => {
    if (!player.hasAttribute("src")) return;
    byId("playing").hidden = true;
    tell("this browser cannot play the video, so its points cannot be shown over it; the table is whole");
  };
  const step = (now, told) => {
    if (mien.done) showFrameAt(told?.mediaTime ?? player.currentTime, player);
    if (player.requestVideoFrameCallback) player.requestVideoFrameCallback(step);
  };
  if (player.requestVideoFrameCallback) player.requestVideoFrameCallback(step);
  else player.ontimeupdate = step;
  player.onplay = player.onpause = () => { byId("play").textContent = player.paused ? "▶" : "❚❚"; };
  player.play().catch(() => {});
}

byId("play").addEventListener("click", () => { if (player.paused) player.play(); else player.pause(); });
byId("seek").addEventListener("input", (event) => { player.currentTime = event.target.value; });

/** The frame whose time is nearest, over the picture that the player shows. */
function showFrameAt(time, player) {
  let low = 0, high = mien.frames.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (mien.frames[middle].time_secs < time) low = middle + 1; else high = middle;
  }
  const before = mien.frames[Math.max(low - 1, 0)], after = mien.frames[low];
  const frame = Math.abs(before.time_secs - time) < Math.abs(after.time_secs - time) ? before : after;
  byId("seek").value = frame.time_secs;
  byId("clock").textContent = `${frame.time_secs.toFixed(2)} / ${mien.frames.at(-1).time_secs.toFixed(2)} s`;
  show(frame, player);
}

// ---- what a person can do

function setMirror(on) {
  byId("mirror").checked = on;
  byId("picture").classList.toggle("mirrored", on);
  byId("head").classList.toggle("mirrored", on);
  byId("avatar").classList.toggle("mirrored", on);
}

byId("camera").addEventListener("click", useCamera);
byId("stop").addEventListener("click", () => mien.source?.stop());
byId("file").addEventListener("change", (event) => {
  if (event.target.files[0]) useVideo(event.target.files[0]);
  event.target.value = "";
});
byId("mirror").addEventListener("change", (event) => setMirror(event.target.checked));
byId("show-avatar").addEventListener("change", (event) => chooseAvatar(event.target.checked));
byId("points").addEventListener("change", redraw);
window.addEventListener("resize", redraw);
const stage = document.body;
stage.addEventListener("dragover", (event) => { event.preventDefault(); byId("stage").classList.add("drop"); });
stage.addEventListener("dragleave", () => byId("stage").classList.remove("drop"));
stage.addEventListener("drop", (event) => {
  event.preventDefault();
  byId("stage").classList.remove("drop");
  if (event.dataTransfer.files[0]) useVideo(event.dataTransfer.files[0]);
});
