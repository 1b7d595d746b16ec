// Curves of the last seconds, or of a whole video.

import { fitted } from "./drawing.js";

export class Curves {
  /** Each series is {name, colour}, a CSS variable; `low` and `high` are the axis. */
  constructor(canvas, series, low, high, ticks, unit = "") {
    Object.assign(this, { canvas, series, low, high, ticks, unit });
  }

  /** samples: [{time, values}]; values by name, missing ones are gaps. now: a time to mark. */
  draw(samples, from, to, now = null) {
    const { context, width, height } = fitted(this.canvas);
    const style = getComputedStyle(document.documentElement);
    const left = 38, bottom = height - 16, top = 6;
    const x = (time) => left + (time - from) / (to - from || 1) * (width - left - 4);
    const y = (value) => bottom - (Math.min(Math.max(value, this.low), this.high) - this.low) /
      (this.high - this.low) * (bottom - top);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = style.getPropertyValue("--soft");
    context.strokeStyle = style.getPropertyValue("--line");
    context.textAlign = "right";
    for (const tick of this.ticks) {
      context.beginPath(); context.moveTo(left, y(tick)); context.lineTo(width - 4, y(tick)); context.stroke();
      context.fillText(`${tick}${this.unit}`, left - 5, y(tick) + 4);
    }
    context.textAlign = "left"; context.fillText(`${from.toFixed(1)} s`, left, height - 3);
    context.textAlign = "right"; context.fillText(`${to.toFixed(1)} s`, width - 4, height - 3);
    const stride = Math.max(1, Math.floor(samples.length / (2 * width)));
    for (const { name, colour } of this.series) {
      context.strokeStyle = style.getPropertyValue(colour);
      context.lineWidth = 1.7; context.lineJoin = "round";
      context.beginPath();
      let down = false;
      for (let n = 0; n < samples.length; n += stride) {
        const value = samples[n].values?.[name];
        if (value === undefined || samples[n].time < from) { down = false; continue; }
        if (down) context.lineTo(x(samples[n].time), y(value));
        else context.moveTo(x(samples[n].time), y(value));
        down = true;
      }
      context.stroke();
    }
    if (now !== null) {
      context.strokeStyle = style.getPropertyValue("--soft"); context.lineWidth = 1;
      context.beginPath(); context.moveTo(x(now), top); context.lineTo(x(now), bottom); context.stroke();
    }
  }
}
