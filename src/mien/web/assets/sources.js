// Where pictures come from: the webcam, or a video that the server follows.

const address = (path) => new URL(path, document.baseURI);
const socketAddress = (path) => {
  const url = address(path);
  url.protocol = "ws:";
  return url;
};

/** Sends the newest picture when the answer to the last has come; those between are dropped. */
export class Camera {
  constructor(onFaces, onEnd) {
    Object.assign(this, { onFaces, onEnd, dropped: 0, busy: true, ended: false });
    this.video = document.createElement("video");
    this.video.muted = this.video.playsInline = true;
    this.canvases = [document.createElement("canvas"), document.createElement("canvas")];
  }

  async start() {
    const wanted = { video: { width: { ideal: 640 }, height: { ideal: 480 } }, audio: false };
    this.stream = await navigator.mediaDevices.getUserMedia(wanted);
    this.video.srcObject = this.stream;
    await this.video.play();
    this.socket = new WebSocket(socketAddress("live"));
    this.socket.addEventListener("open", () => { this.busy = false; });
    this.socket.addEventListener("message", (event) => this.answered(JSON.parse(event.data)));
    this.socket.addEventListener("close", (event) => {
      this.stop(event.reason || "mien serve has ended or the connection broke: start it again");
    });
    const next = () => {
      if (this.ended) return;
      this.take();
      if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(next);
      else requestAnimationFrame(next);
    };
    next();
  }

  take() {
    if (this.busy) { this.dropped += this.socket?.readyState === WebSocket.OPEN ? 1 : 0; return; }
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return;
    this.busy = true;
    const canvas = this.canvases.reverse()[0];
    const scale = Math.min(1, 1280 / Math.max(width, height));
    canvas.width = Math.round(width * scale); canvas.height = Math.round(height * scale);
    canvas.getContext("2d").drawImage(this.video, 0, 0, canvas.width, canvas.height);
    this.takenAt = performance.now();
    this.first ??= this.takenAt;
    canvas.toBlob((blob) => this.send(blob), "image/jpeg", 0.92);
    this.pending = canvas;
  }

  send(blob) {
    if (this.ended) return;
    const time = new DataView(new ArrayBuffer(8));
    time.setFloat64(0, (this.takenAt - this.first) / 1000, true);
    this.socket.send(new Blob([time.buffer, blob]));
  }

  answered(message) {
    const picture = this.pending;
    message.latency_ms = performance.now() - this.takenAt;
    this.onFaces(message, picture);
    this.busy = false;
  }

  stop(why = "") {
    if (this.ended) return;
    this.ended = true;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.socket?.close();
    this.onEnd(why);
  }
}

/** Uploads a video and tells every frame that the server has followed. */
export class Upload {
  constructor(file, handlers) {
    Object.assign(this, { file, handlers, ended: false });
  }

  start() {
    const request = this.request = new XMLHttpRequest();
    request.open("POST", address("videos"));
    request.upload.addEventListener("progress", (event) => this.handlers.onUpload(event.loaded, event.total));
    request.addEventListener("error", () => this.stop("the video did not reach mien serve: is it still running?"));
    request.addEventListener("load", () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* told below */ }
      if (answer.video) this.follow(answer.video);
      else this.stop(answer.error || `the video was refused (${request.status})`);
    });
    request.send(this.file);
  }

  follow(name) {
    if (this.ended) return;
    const socket = this.socket = new WebSocket(socketAddress(`videos/${name}`));
    socket.binaryType = "blob";
    let last = null;
    socket.addEventListener("message", async (event) => {
      if (this.ended) return;
      if (typeof event.data !== "string") {
        const of = last;
        const picture = await createImageBitmap(event.data);
        if (!this.ended) this.handlers.onPreview(of, picture);
        return;
      }
      const message = JSON.parse(event.data);
      if (message.error) this.stop(message.error);
      else if (message.done) this.finish(name, message.done);
      else this.handlers.onFrame(last = message);
    });
    socket.addEventListener("close", (event) => {
      this.stop(event.reason || "mien serve has ended or the connection broke: start it again");
    });
  }

  finish(name, done) {
    this.ended = true;
    this.socket.close();
    this.handlers.onDone(done, address(`videos/${name}/`));
  }

  stop(why = "") {
    if (this.ended) return;
    this.ended = true;
    this.request?.abort();
    this.socket?.close();
    this.handlers.onEnd(why);
  }
}
