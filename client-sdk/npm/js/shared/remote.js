// A tab's end: a link like that of `link.js` whose connection is somewhere else, at a host that may
// go and be replaced by another.

import { FAIL, REPLY, REPLY_AND_REQUEST, REQUEST } from "./words.js";

/** Commands that wait for a connection, at most, and characters of their bodies, where options say nothing. */
const [WAITING_MAX, WAITING_TEXT] = [1000, 1 << 20];
/** The host hears of what was dealt with after so many messages, or characters. */
const [DEALT_EACH, DEALT_TEXT] = [100, 1 << 18];
/** Numbers of hosts stand above those that hosts give to connections. */
const EPOCH = 2 ** 32;
/** The longest that timers know. */
const TIMER_MAX = 2 ** 31 - 1;

const lost = (text) => ["CONNECTION_LOST", -1, "ERROR", text];
const GONE = "the tab with the connection is gone";
const LEFT = "closed by the application";

export class RemoteLink {
  #options;
  #observer;
  #leave;
  #post;
  #words = [];
  #epoch = 1;
  #open = false;
  #closed = false;
  #close = [1006, ""];
  #last = 0;
  #registrations = new Map();
  /** Commands that the host has not taken, or that wait there for the first connection. */
  #commands = new Map();
  /** Requests that are with the server. */
  #requests = new Map();
  /** Characters in the bodies of the commands. */
  #length = 0;
  #wasFull = false;
  /** What every host is told, and what one host has to hear: a limit of attempts, and the wish to connect anew. */
  #attempts;
  #again;
  /** Messages that were dealt with since the host heard of it, and their characters. */
  #dealt = [0, 0];

  /** `leave` is called when the application closes its bus. */
  constructor(options, observer, leave) {
    this.#options = options;
    this.#observer = observer;
    this.#leave = leave;
  }

  /** There is a host; what is for it goes to `post`. */
  attach(post) {
    if (this.#closed) return;
    this.#post = post;
    if (this.#attempts !== undefined) this.#say("limitAttempts", this.#attempts);
    if (this.#again) this.#say("reconnect", ...this.#again);
    for (const [id, { args }] of this.#registrations) this.#say("register", id, ...args);
    for (const [number, command] of this.#commands) this.#sayCommand(number, command);
  }

  /** The host is gone. What was not yet in anybody's hands waits for the next one. */
  detach(text = GONE) {
    if (!this.#post) return;
    this.#post = undefined;
    this.#words = [];
    this.#epoch += 1;
    this.#dealt = [0, 0];
    const wasOpen = this.#open;
    this.#open = false;
    for (const [number, command] of this.#commands) {
      if (!command.waits || command.origin) this.#end(number, undefined, lost(text));
      else this.#setTimer(number, command);
    }
    for (const number of [...this.#requests.keys()]) this.#end(number, undefined, lost(text));
    if (wasOpen) this.#tellState([0, "", 0], [1006, text]);
  }

  /** What the host says, many words in one array. */
  hear(words) {
    for (const [word, ...parts] of words) {
      // What is heard of a host that was left is of no use.
      if (!this.#post) return;
      // It lives, so it hears what it was told.
      this.#again = undefined;
      if (word === "message") this.#message(...parts);
      else if (word === "state") this.#state(...parts);
      else if (word === "took") this.#took(parts[0]);
      else if (word === "done") this.#end(...parts);
      else if (word === "token") this.#giveToken(parts[0]);
      else if (word === "notice") this.#notice(parts[0]);
    }
  }

  command(operation, origin, address, text, headers, local, value, done) {
    if (this.#closed) return ["CLOSED", -1, "ERROR", this.#close[1]];
    const isStale = origin && (!this.#post || Math.floor(origin / EPOCH) !== this.#epoch);
    if (isStale) return ["CLOSED", -1, "ERROR", "the connection that brought the message is gone"];
    if (!this.#makeRoom(text)) {
      this.#wasFull = true;
      return ["OVERFLOW", -1, "ERROR", "the outbox is full"];
    }
    const number = (this.#last += 1);
    const args = [operation, origin % EPOCH, address, text, headers, local, value];
    const command = { args, origin, done, waits: !this.#open, since: performance.now() };
    command.expects = operation === REQUEST || operation === REPLY_AND_REQUEST;
    if (done) done.request = number;
    this.#commands.set(number, command);
    this.#length += text.length;
    if (this.#post) this.#sayCommand(number, command);
    else this.#setTimer(number, command);
  }

  /** Gives up the request that ends with `done`. */
  cancel(done) {
    done.given = true;
    if (!this.#take(done.request)) return;
    if (this.#post) this.#say("cancel", done.request);
  }

  register(address, local, pattern, overflow, callback) {
    const id = (this.#last += 1);
    const args = [address, local, pattern, overflow];
    this.#registrations.set(id, { args, callback });
    if (this.#post) this.#say("register", id, ...args);
    return id;
  }

  unregister(id) {
    if (this.#registrations.delete(id) && this.#post) this.#say("unregister", id);
  }

  lastClose() {
    return this.#close;
  }

  reconnect(transports) {
    this.#again = [transports ?? this.#again?.[0]];
    if (this.#post) this.#say("reconnect", transports);
  }

  limitAttempts(attempts) {
    this.#attempts = attempts;
    if (this.#post) this.#say("limitAttempts", attempts);
  }

  /** The tab leaves; the connection stays for the others. */
  close() {
    if (this.#closed) return;
    if (this.#post) {
      this.#say("bye");
      this.#flush();
    }
    this.end(LEFT, 1000);
  }

  /** There will be no host any more. */
  end(text, code = 1006) {
    this.#finish([3, "", 0], [code, text]);
  }

  #finish(notice, close) {
    [this.#closed, this.#open, this.#post, this.#close] = [true, false, undefined, close];
    this.#registrations.clear();
    const error = ["CLOSED", -1, "ERROR", close[1]];
    for (const number of [...this.#commands.keys(), ...this.#requests.keys()]) this.#end(number, undefined, error, true);
    queueMicrotask(() => this.#observer(notice));
    this.#leave();
  }

  #say(...words) {
    if (this.#words.push(words) === 1) queueMicrotask(() => this.#flush());
  }

  #flush() {
    if (this.#post && this.#words.length) this.#post(this.#words.splice(0));
  }

  #sayCommand(number, { args, expects, since, timer }) {
    clearTimeout(timer);
    const said = [...args];
    if (expects) said[6] = Math.max(0, said[6] - (performance.now() - since));
    this.#say("command", number, ...said, expects);
  }

  /** A request that no host knows is timed here. */
  #setTimer(number, command) {
    const left = command.args[6] - (performance.now() - command.since);
    if (!command.expects || !(left < TIMER_MAX)) return;
    const error = ["TIMEOUT", -1, "TIMEOUT", "no connection in time"];
    command.timer = setTimeout(() => this.#end(number, undefined, error), left);
  }

  /** Whether one more command finds room; the policy may let older ones go for it. */
  #makeRoom(text) {
    const { outboxLimit = WAITING_MAX, outboxBytes = WAITING_TEXT, outboxPolicy } = this.#options;
    const isFull = () => this.#commands.size >= outboxLimit || this.#length + text.length > outboxBytes;
    if (outboxPolicy === "drop_oldest" && !this.#post)
      for (const number of this.#commands.keys()) {
        if (!isFull()) break;
        this.#end(number, undefined, ["OVERFLOW", -1, "ERROR", "made way for newer messages in the outbox"]);
      }
    return !isFull();
  }

  #took(last) {
    for (const [number, command] of this.#commands) {
      if (number > last) return;
      command.taken = true;
      this.#forget(number, command);
    }
  }

  /** Of what is taken and on its way only the ends of requests are waited for. */
  #forget(number, command) {
    if (!command.taken || command.waits) return;
    this.#take(number);
    if (command.expects) this.#requests.set(number, command);
  }

  /** Takes a command off the books, which may make room. */
  #take(number) {
    const command = this.#commands.get(number);
    if (command) this.#length -= command.args[3].length;
    const taken = command ?? this.#requests.get(number);
    this.#commands.delete(number);
    this.#requests.delete(number);
    clearTimeout(taken?.timer);
    if (command && this.#wasFull) {
      this.#wasFull = false;
      queueMicrotask(() => this.#observer([8]));
    }
    return taken;
  }

  #end(number, message, error, isQuiet) {
    const command = this.#take(number);
    if (!command) return;
    if (command.done) command.done(message && this.#mark(message), error);
    else if (!isQuiet && ![REPLY, FAIL].includes(command.args[0])) this.#observer([4, "", 0, error]);
  }

  #notice(notice) {
    // Answers to registrations are not counted: each has one at most.
    if (notice[0] !== 6) this.#deal(0);
    this.#observer(notice);
  }

  #state(notice, close) {
    this.#deal(0);
    const [kind] = notice;
    if (kind === 3) return this.#finish(notice, close);
    this.#open = kind === 1;
    if (this.#open)
      for (const [number, command] of this.#commands) {
        command.waits = false;
        this.#forget(number, command);
      }
    this.#tellState(notice, close);
  }

  #tellState(notice, close) {
    this.#close = close;
    this.#observer(notice);
  }

  #message(id, message) {
    this.#deal(message.size);
    this.#registrations.get(id)?.callback(this.#mark(message));
  }

  /** A reply must not go to another host than that which brought the message. */
  #mark(message) {
    message.origin += this.#epoch * EPOCH;
    return message;
  }

  #deal(length) {
    const [messages, characters] = (this.#dealt = [this.#dealt[0] + 1, this.#dealt[1] + length]);
    if (messages < DEALT_EACH && characters < DEALT_TEXT) return;
    this.#say("dealt", messages, characters);
    this.#dealt = [0, 0];
  }

  async #giveToken(number) {
    const post = this.#post;
    let [ok, text] = [true, ""];
    try {
      text = String((await this.#options.token()) ?? "");
    } catch (error) {
      [ok, text] = [false, String(error)];
    }
    if (post && post === this.#post) this.#say("token", number, ok, text);
  }
}
