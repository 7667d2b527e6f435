// A link: the module's `Bus`, opened with options as users write them, and its tokens. It takes calls
// before the module is loaded.

import { load } from "./module.js";

/** Commands that wait for the module, at most. */
const WAITING_MAX = 1000;

/** What stands in where there is no module: `command` and `lastClose` tell why. */
const broken = (text) =>
  new Proxy({}, { get: (_, name) => () => (name === "command" ? ["CLOSED", -1, "ERROR", text] : [1006, text]) });

/**
 * `observer` gets the notices, but for the wish for a token, which is granted here. A command that is
 * turned down gives its error; one that had to wait for the module gives it to its `done`, else to
 * the observer.
 */
export const openLink = (url, options, attempts, observer) => {
  const numbers = [
    options.vertxbus_ping_interval,
    options.idleTimeout,
    attempts,
    options.vertxbus_reconnect_delay_min,
    options.vertxbus_reconnect_delay_max,
    options.vertxbus_reconnect_exponent,
    options.vertxbus_randomization_factor,
    options.outboxLimit,
    options.outboxBytes,
  ];
  const { transports = [], token } = options;
  const text = typeof transports === "string" ? transports : transports.join();
  const notice = (parts) => (parts[0] === 7 ? giveToken(bus, token) : observer(parts));
  const wantsToken = token !== undefined;
  const waiting = [];
  let bus;
  const begin = (made) => {
    bus = made;
    for (const call of waiting) call();
  };
  load().then(
    (Bus) => begin(new Bus(String(url), text, wantsToken, notice, ...numbers.map((number) => number ?? NaN))),
    (error) => {
      begin(broken(String(error)));
      observer([3]);
    },
  );
  const soon = (call) => (bus ? call() : void waiting.push(call));
  const forward = (name) => (argument) => soon(() => bus[name](argument));
  const refuse = (_, error) => observer([4, "", 0, error]);
  return {
    command(...args) {
      if (bus) return bus.command(...args);
      if (waiting.length >= WAITING_MAX) return ["OVERFLOW", -1, "ERROR"];
      waiting.push(() => {
        const error = bus.command(...args);
        if (error) (args[7] ?? refuse)(undefined, error);
      });
    },
    register(...args) {
      const held = {};
      soon(() => (held.id = bus.register(...args)));
      return held;
    },
    unregister: (held) => soon(() => bus.unregister(held.id)),
    lastClose: () => bus.lastClose(),
    reconnect: forward("reconnect"),
    limitAttempts: forward("limitAttempts"),
    close: forward("close"),
  };
};

const giveToken = async (link, token) => {
  let [ok, text, left] = [true, "", NaN];
  try {
    text = String((typeof token === "function" ? await token() : token) ?? "");
    left = millisecondsLeft(text);
  } catch (error) {
    [ok, text] = [false, String(error)];
  }
  link.token(ok, text, left);
};

/** How long a JSON Web Token is still good, where it says so. */
const millisecondsLeft = (token) => {
  try {
    const claims = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(claims)).exp * 1000 - Date.now();
  } catch {
    return NaN;
  }
};
