// A tab among tabs, where there is no SharedWorker: one of them hosts the connection, and the next
// in line for its lock takes over.

import { Host } from "./host.js";
import { gone, hold } from "./locks.js";

export class TabSeat {
  #name;
  #lock;
  #settings;
  #openLink;
  #link;
  #abort;
  #common;
  #own;
  #hostId;
  #host;
  #releases = [];

  constructor({ name, lock, settings }, link, openLink) {
    [this.#name, this.#lock, this.#settings] = [name, lock, settings];
    [this.#link, this.#openLink] = [link, openLink];
  }

  async start() {
    const { signal } = (this.#abort = new AbortController());
    this.#common = new BroadcastChannel(this.#name);
    this.#common.onmessage = ({ data: [word, ...parts] }) => this.#hear(word, parts);
    try {
      this.#keep(await hold(this.#lock, signal), signal);
      if (signal.aborted) return;
      this.#common.postMessage(["who"]);
      this.#keep(await hold(`${this.#name} host`, signal), signal);
      if (!signal.aborted) this.#lead(signal);
    } catch (error) {
      if (!signal.aborted) console.error(error);
    }
  }

  /** Leaves; who hosts lets the next one do it. */
  stop() {
    this.#abort.abort();
    if (this.#host) this.#common.postMessage(["gone", this.#hostId]);
    const host = this.#host;
    this.#host = this.#hostId = undefined;
    host?.close();
    this.#own?.postMessage([["bye"]]);
    this.#own?.close();
    this.#common.close();
    for (const release of this.#releases.splice(0)) release();
  }

  /** A lock that came too late is not kept. */
  #keep(release, signal) {
    if (signal.aborted) release();
    else this.#releases.push(release);
  }

  #hear(word, [id, lock, settings]) {
    if (word === "hosting") this.#follow(id);
    else if (word === "gone" && id === this.#hostId) this.#lose();
    else if (!this.#host) return;
    else if (word === "who") this.#common.postMessage(["hosting", this.#hostId]);
    else if (word === "join" && id === this.#hostId) this.#seat(lock, settings);
  }

  /** Another tab hosts. */
  #follow(id) {
    if (id === this.#hostId || this.#host) return;
    this.#lose();
    this.#hostId = id;
    const channel = (this.#own = new BroadcastChannel(`${id} ${this.#lock}`));
    channel.onmessage = ({ data }) => {
      if (data !== "seated") return this.#link.hear(data);
      this.#link.attach((words) => channel.postMessage(words));
    };
    this.#common.postMessage(["join", id, this.#lock, this.#settings]);
  }

  #lose() {
    this.#own?.close();
    this.#own = this.#hostId = undefined;
    this.#link.detach();
  }

  /** This tab hosts from now on. */
  #lead(signal) {
    this.#lose();
    this.#hostId = `${this.#lock} ${performance.now()}`;
    this.#host = new Host(this.#openLink, () => {});
    const host = this.#host;
    // Never within the call, as with others.
    const post = (words) => queueMicrotask(() => !signal.aborted && this.#link.hear(words));
    const seat = host.join(post, this.#settings);
    this.#link.attach((words) => host.hear(seat, words));
    this.#common.postMessage(["hosting", this.#hostId]);
  }

  /** Another tab joins the host that this one is. */
  #seat(lock, settings) {
    const [host, channel] = [this.#host, new BroadcastChannel(`${this.#hostId} ${lock}`)];
    channel.postMessage("seated");
    const seat = host.join((words) => channel.postMessage(words), settings);
    channel.onmessage = ({ data }) => host.hear(seat, data);
    const leave = () => {
      channel.close();
      host.leave(seat);
    };
    gone(lock).then(leave, leave);
  }
}
