"use strict";
// All signals of an example play at once, each through a gain of its own; choosing one turns its gain
// up and the others down within some milliseconds. The position is that of one clock, so it stays.
(() => {
  const FADE_S = 0.008;
  const AHEAD_S = 0.03;
  let context = null;
  let current = null;

  class Player {
    constructor(root) {
      this.root = root;
      this.seconds = Number(root.dataset.seconds);
      this.button = root.querySelector(".play");
      this.seek = root.querySelector(".seek");
      this.now = root.querySelector(".now");
      this.loop = root.querySelector(".loop input");
      this.fault = root.querySelector(".fault");
      this.tracks = [...root.querySelectorAll(".track[data-key]")];
      this.radios = this.tracks.map((track) => track.querySelector("input[type=radio]"));
      this.boxes = [...root.querySelectorAll(".track .box")];
      this.heads = [...root.querySelectorAll(".playhead")];
      this.buffers = null;
      this.sources = [];
      this.gains = [];
      this.offset = 0; // seconds, while paused
      this.started = 0; // the clock's time of position 0, while playing
      this.playing = false;
      this.listen();
      this.show();
    }

    get chosen() {
      return Math.max(0, this.radios.findIndex((radio) => radio.checked));
    }

    get position() {
      if (!this.playing) return this.offset;
      const elapsed = Math.max(0, context.currentTime - this.started);
      return this.loop.checked ? elapsed % this.seconds : Math.min(elapsed, this.seconds);
    }

    listen() {
      this.button.addEventListener("click", () => this.toggle());
      this.seek.addEventListener("input", () => this.jump(Number(this.seek.value)));
      this.loop.addEventListener("change", () => this.playing && this.restart(this.offsetOfLoop()));
      this.radios.forEach((radio) => radio.addEventListener("change", () => this.mix()));
      this.boxes.forEach((box, index) => box.addEventListener("click", (event) => {
        const frame = box.getBoundingClientRect();
        if (index < this.radios.length) this.choose(index);
        this.jump(this.seconds * (event.clientX - frame.left) / frame.width);
        if (!this.playing) this.play();
      }));
      this.root.addEventListener("keydown", (event) => {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        const onControl = event.target.matches("button, summary, a, input[type=checkbox]");
        const digit = Number(event.key);
        if (event.key === " " && !onControl) this.toggle();
        else if (digit >= 1 && digit <= this.radios.length) this.choose(digit - 1, true);
        else return;
        event.preventDefault();
      });
    }

    choose(index, focus = false) {
      this.radios[index].checked = true;
      if (focus) this.radios[index].focus();
      this.mix();
    }

    mix() {
      this.gains.forEach((gain, index) => {
        gain.gain.setTargetAtTime(index === this.chosen ? 1 : 0, context.currentTime, FADE_S / 3);
      });
      this.show();
    }

    async load() {
      const sounds = this.tracks.map((track) => track.querySelector("audio").src);
      this.buffers = await Promise.all(sounds.map((source) => context.decodeAudioData(bytes(source))));
    }

    toggle() {
      if (this.playing) this.pause();
      else this.play();
    }

    async play() {
      try {
        context = context || new AudioContext();
        if (current && current !== this) current.pause();
        current = this;
        await context.resume();
        if (!this.buffers) await this.load();
        if (current !== this || this.playing) return;
        this.start(this.offset >= this.seconds - 0.01 ? 0 : this.offset);
        this.tick();
      } catch (error) {
        this.fault.textContent = `This browser cannot play it: ${error.message}`;
        this.fault.hidden = false;
      }
    }

    start(offset) {
      const when = context.currentTime + AHEAD_S;
      this.gains = this.buffers.map((_, index) => {
        const gain = new GainNode(context, { gain: index === this.chosen ? 1 : 0 });
        gain.connect(context.destination);
        return gain;
      });
      this.sources = this.buffers.map((buffer, index) => {
        const source = new AudioBufferSourceNode(context, { buffer, loop: this.loop.checked });
        source.connect(this.gains[index]);
        source.start(when, offset);
        return source;
      });
      this.sources[0].addEventListener("ended", (event) => {
        if (event.target === this.sources[0]) this.finish();
      });
      this.started = when - offset;
      this.playing = true;
      this.show();
    }

    stop() {
      const [sources, gains] = [this.sources, this.gains];
      this.sources = [];
      this.gains = [];
      sources.forEach((source) => source.stop());
      gains.forEach((gain) => gain.disconnect());
      this.playing = false;
    }

    pause() {
      this.offset = this.position;
      if (this.playing) this.stop();
      this.show();
    }

    finish() {
      this.stop();
      this.offset = 0;
      this.show();
    }

    restart(offset) {
      this.stop();
      this.start(offset);
    }

    offsetOfLoop() {
      return Math.max(0, context.currentTime - this.started) % this.seconds;
    }

    jump(seconds) {
      this.offset = Math.min(Math.max(0, seconds), this.seconds);
      if (this.playing) this.restart(this.offset);
      this.show();
    }

    tick() {
      if (!this.playing) return;
      this.show();
      requestAnimationFrame(() => this.tick());
    }

    show() {
      const position = this.position;
      const name = this.root.querySelector("h3").firstChild.textContent.trim();
      this.root.classList.toggle("playing", this.playing);
      this.button.querySelector(".play-text").textContent = this.playing ? "Pause" : "Play";
      this.button.setAttribute("aria-label", `${this.playing ? "Pause" : "Play"} ${name}`);
      this.seek.value = position;
      this.seek.setAttribute("aria-valuetext", `${position.toFixed(1)} seconds`);
      this.now.textContent = position.toFixed(1);
      this.tracks.forEach((track, index) => track.classList.toggle("heard", index === this.chosen));
      this.heads.forEach((head) => {
        head.hidden = !this.playing && position === 0;
        head.style.left = `${100 * position / this.seconds}%`;
      });
    }
  }

  // The bytes of a base64 data URI.
  function bytes(uri) {
    const text = atob(uri.slice(uri.indexOf(",") + 1));
    return Uint8Array.from(text, (character) => character.charCodeAt(0)).buffer;
  }

  if (!window.AudioContext) return; // the plain audio elements stay
  document.querySelectorAll(".js-only").forEach((element) => { element.hidden = false; });
  document.querySelectorAll(".no-js").forEach((element) => { element.hidden = true; });
  document.querySelectorAll(".player").forEach((root) => {
    root.classList.add("interactive");
    new Player(root);
  });
})();
