// The host: one link to the server that many tabs speak through. It knows tabs as seats, and does
// not know how words get there. `words.js` has the words.

import { FAIL } from "./words.js";

/** Messages and states that a tab may have before it says that it has dealt with them. */
const WINDOW = 1000;
/** And characters of bodies. */
const WINDOW_TEXT = 1 << 20;

export class Host {
  #openLink;
  #ended;
  #link;
  #state;
  #seats = new Set();
  #groups = new Map();
  #tokens = new Map();
  #asked = 0;

  /** `ended` is called when there is nothing more to host: nobody is left, or the link is closed. */
  constructor(openLink, ended) {
    this.#openLink = openLink;
    this.#ended = ended;
  }

  /** A tab sits down; what is for it goes to `post`, many words in one array. */
  join(post, { url, options, attempts, wantsToken }) {
    if (!this.#link) {
      const token = wantsToken ? () => this.#askToken() : options.token;
      const observer = (parts) => this.#notice(parts);
      this.#link = this.#openLink(url, { ...options, token }, attempts, observer);
    }
    const seat = new Seat(post, wantsToken, options.outboxPolicy === "wait");
    this.#seats.add(seat);
    if (this.#state) seat.tellState(this.#state);
    return seat;
  }

  /** What a tab says, many words in one array. */
  hear(seat, words) {
    // Who waits for room is heard to the end first.
    if (seat.waiting) return void seat.waiting.push(...words);
    let taken;
    for (const [at, [word, ...parts]] of words.entries()) {
      if (!this.#seats.has(seat)) return;
      if (word === "command") {
        if (!this.#command(seat, ...parts)) {
          seat.waiting = words.slice(at);
          break;
        }
        taken = parts[0];
      } else if (word === "register") this.#register(seat, ...parts);
      else if (word === "unregister") this.#unregister(seat, parts[0]);
      else if (word === "cancel") this.#cancel(seat, parts[0]);
      else if (word === "dealt") seat.dealt(...parts);
      else if (word === "token") this.#tokens.get(parts[0])?.(parts);
      else if (word === "bye") this.leave(seat);
      else if (word === "reconnect" || word === "limitAttempts") this.#link[word](...parts);
    }
    if (taken) seat.tell("took", taken);
  }

  /** A tab is gone; its registrations go with it. */
  leave(seat) {
    if (!this.#seats.delete(seat)) return;
    for (const id of [...seat.registrations.keys()]) this.#unregister(seat, id);
    for (const number of [...seat.requests.keys()]) this.#cancel(seat, number);
    for (const [number, answer] of this.#tokens)
      if (answer.seat === seat) answer([number, false, "the tab that was asked for a token is gone"]);
    if (!this.#seats.size) this.close();
  }

  /** Ends the connection, and says nothing more. */
  close() {
    const link = this.#link;
    this.#seats.clear();
    this.#link = undefined;
    link?.close();
    if (link) this.#ended();
  }

  #command(seat, number, operation, origin, address, text, headers, local, value, wanted) {
    const done = (message, error) => {
      seat.requests.delete(number);
      seat.tell("done", number, message, error);
    };
    const taker = wanted ? done : undefined;
    const error = this.#link.command(operation, origin, address, text, headers, local, value, taker);
    if (error?.[0] === "OVERFLOW" && seat.canWait) return false;
    if (error) done(undefined, error);
    else if (wanted) seat.requests.set(number, done);
    return true;
  }

  #register(seat, id, address, local, pattern, overflow) {
    const key = `${local} ${pattern} ${address}`;
    const registration = { key, address, pattern, dropped: 0, answered: local };
    seat.registrations.set(id, registration);
    const group = this.#groups.get(key) ?? { seats: [], turn: 0 };
    this.#groups.set(key, group);
    group.seats.push(seat);
    registration.id = this.#link.register(address, local, pattern, overflow, (message) => {
      if (this.#isFor(seat, group, message)) this.#deliver(seat, id, registration, message);
    });
  }

  #unregister(seat, id) {
    const registration = seat.registrations.get(id);
    if (!registration) return;
    seat.registrations.delete(id);
    this.#link?.unregister(registration.id);
    const { seats } = this.#groups.get(registration.key);
    seats.splice(seats.indexOf(seat), 1);
    if (!seats.length) this.#groups.delete(registration.key);
  }

  #cancel(seat, number) {
    const done = seat.requests.get(number);
    seat.requests.delete(number);
    if (done) this.#link?.cancel(done);
  }

  /** A request from the server is for one tab, each in turn; it comes here once for each of them. */
  #isFor(seat, group, message) {
    const { replyAddress, origin } = message;
    if (replyAddress === undefined || !origin) return true;
    if (group.asked !== replyAddress) {
      const seats = [...new Set(group.seats)];
      [group.asked, group.seat] = [replyAddress, seats[group.turn++ % seats.length]];
    }
    return group.seat === seat;
  }

  #deliver(seat, id, registration, message) {
    const { size, replyAddress, origin } = message;
    if (!seat.hasRoom(size)) {
      registration.dropped += 1 + (message.dropped ?? 0);
      if (replyAddress !== undefined)
        this.#link.command(FAIL, origin, replyAddress, "Discarded the request", "", false, -1);
      return;
    }
    if (registration.dropped) message.dropped = registration.dropped + (message.dropped ?? 0);
    registration.dropped = 0;
    seat.count(size);
    seat.tell("message", id, message);
  }

  #notice(parts) {
    if (!this.#link) return;
    const [kind, address, pattern] = parts;
    if (kind < 4) {
      this.#state = [parts, this.#link.lastClose()];
      for (const seat of this.#seats) seat.tellState(this.#state);
      if (kind === 3) this.close();
    } else if (kind === 6) {
      for (const seat of this.#seats) seat.answer(address, pattern === 1, parts);
    } else if (kind === 8) {
      this.#room();
    } else {
      for (const seat of this.#seats)
        if (seat.hasRoom(0)) {
          seat.count(0);
          seat.tell("notice", parts);
        }
    }
  }

  /** The outbox has room again. */
  #room() {
    for (const seat of this.#seats) {
      const words = seat.waiting ?? [];
      seat.waiting = undefined;
      this.hear(seat, words);
    }
  }

  /** Asks the tabs in turn, so that one that sleeps is not asked again and again. */
  #askToken() {
    const seats = [...this.#seats].filter((seat) => seat.wantsToken);
    const number = (this.#asked += 1);
    const seat = seats.at(-(number % seats.length));
    return new Promise((resolve, reject) => {
      if (!seat) return reject(new Error("no tab is left to ask for a token"));
      const answer = ([, ok, text]) => {
        this.#tokens.delete(number);
        if (ok) resolve(text);
        else reject(new Error(text));
      };
      answer.seat = seat;
      this.#tokens.set(number, answer);
      seat.tell("token", number);
    });
  }
}

/** One tab. */
class Seat {
  registrations = new Map();
  /** Requests without an end, by number, as the link knows them. */
  requests = new Map();
  /** Words that wait for room in the outbox. */
  waiting;
  #post;
  #words = [];
  #messages = 0;
  #length = 0;
  #late;

  constructor(post, wantsToken, canWait) {
    this.#post = post;
    this.wantsToken = wantsToken;
    this.canWait = canWait;
  }

  /** What is said in one go arrives in one go. */
  tell(...words) {
    if (this.#words.push(words) > 1) return;
    queueMicrotask(() => this.#post(this.#words.splice(0)));
  }

  hasRoom(length) {
    const fits = !this.#messages || this.#length + length <= WINDOW_TEXT;
    return this.#messages < WINDOW && fits;
  }

  count(length) {
    this.#messages += 1;
    this.#length += length;
  }

  /** The tab has dealt with so many messages, states and characters. */
  dealt(messages, length) {
    this.#messages -= messages;
    this.#length -= length;
    if (this.#late) this.tellState(this.#late);
  }

  /** Of the states that a slow tab misses, only the last matters. */
  tellState(state) {
    this.#late = this.hasRoom(0) ? undefined : state;
    if (this.#late) return;
    this.count(0);
    this.tell("state", ...state);
  }

  /** What the server said to a registration; only the first answer is of use. */
  answer(address, pattern, parts) {
    let isFirst = false;
    for (const registration of this.registrations.values())
      if (!registration.answered && registration.address === address && registration.pattern === pattern)
        isFirst = registration.answered = true;
    if (isFirst) this.tell("notice", parts);
  }
}
