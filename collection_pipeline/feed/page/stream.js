// One stream of events that survives breaks. The browser comes back by itself after most of them; where it gives up
// (the server answered with an error), we come back with the last id in the address, waiting longer each time.

import { streamAddress } from "./api.js";

const LONGEST_WAIT_S = 15;

export class Stream {
  /** `heard` takes onEvent(event), onStatus(status), onEnd(status) and onLink(link), each when there is news. */
  constructor(path, parameters, heard) {
    this.path = path;
    this.parameters = parameters;
    this.heard = heard;
    this.lastId = null;
    this.failures = 0;
    this.wasLive = false;
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = new EventSource(streamAddress(this.path, { ...this.parameters, last_event_id: this.lastId }));
    this.source.addEventListener("open", () => {
      this.failures = 0;
      this.tell({ kind: "live", isBack: this.wasLive });
      this.wasLive = true;
    });
    this.source.addEventListener("error", () => this.broke());
    this.source.addEventListener("activity", (message) => {
      this.lastId = message.lastEventId || this.lastId;
      this.heard.onEvent(JSON.parse(message.data));
    });
    this.source.addEventListener("status", (message) => this.heard.onStatus?.(JSON.parse(message.data).status));
    this.source.addEventListener("end", (message) => {
      this.close();
      this.tell({ kind: "ended" });
      this.heard.onEnd?.(JSON.parse(message.data).status);
    });
  }

  broke() {
    if (this.source.readyState !== EventSource.CLOSED) {
      this.tell({ kind: "broken" });
      return;
    }
    const wait_ms = 1000 * Math.min(LONGEST_WAIT_S, 2 ** this.failures);
    this.failures += 1;
    this.timer = setTimeout(() => this.open(), wait_ms);
    this.tell({ kind: "waiting", until: Date.now() + wait_ms });
  }

  /** Comes back at once instead of at the end of the wait. */
  hurry() {
    if (this.source.readyState !== EventSource.OPEN) this.open();
  }

  close() {
    clearTimeout(this.timer);
    this.source.close();
  }

  tell(link) {
    this.heard.onLink?.({ ...link, lastId: this.lastId });
  }
}
