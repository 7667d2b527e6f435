// Waiting for events with a deadline: the only way in which these tests wait.

/** How long anything that should happen at once may take on a busy machine. */
export const LIMIT = 10_000;

/** What the promise gives, or an error that says what did not happen in time. */
export function within(promise, what, limit = LIMIT) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${limit} ms`)), limit);
  });
  return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}

/** Values in the order in which they arrived, taken one by one. */
export class Inbox {
  #values = [];
  #takers = [];

  constructor(name) {
    this.name = name;
  }

  push(value) {
    const taker = this.#takers.shift();
    if (taker) taker(value);
    else this.#values.push(value);
  }

  /** How many arrived that nobody took. */
  get waiting() {
    return this.#values.length;
  }

  /** Takes the next value, waiting for it if need be. */
  async next(limit = LIMIT) {
    if (this.#values.length > 0) return this.#values.shift();
    let taker;
    const arrival = new Promise((resolve) => {
      taker = resolve;
      this.#takers.push(taker);
    });
    try {
      return await within(arrival, `nothing arrived in ${this.name}`, limit);
    } catch (error) {
      this.#takers = this.#takers.filter((other) => other !== taker);
      throw error;
    }
  }

  async take(count, limit = LIMIT) {
    const taken = [];
    while (taken.length < count) taken.push(await this.next(limit));
    return taken;
  }
}
