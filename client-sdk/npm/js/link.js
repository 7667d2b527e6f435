// A link: the module's `Bus`, opened with options as users write them, and its tokens.

import { Bus } from "./module.js";

/** `observer` gets the notices, but for the wish for a token, which is granted here. */
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
  const notice = (parts) => (parts[0] === 7 ? giveToken(link, token) : observer(parts));
  const wantsToken = token !== undefined;
  const link = new Bus(String(url), text, wantsToken, notice, ...numbers.map((number) => number ?? NaN));
  return link;
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
