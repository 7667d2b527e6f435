// One connection for all tabs of an origin: picks the way, and gives what opens such a link. Loaded
// by `connect` when the option `shared` asks for it.

import { RemoteLink } from "./shared/remote.js";
import { TabSeat } from "./shared/tab-seat.js";
import { WorkerSeat } from "./shared/worker-seat.js";

/** Gives what opens links as `openLink` does; where nothing can be shared, `openLink` itself. */
export const share = async (openLink, url, options) => {
  const { name = "", worker, via = "auto" } = options.shared === true ? {} : options.shared;
  const [mayWorker, mayTab] = ways(via);
  if (!mayWorker && !mayTab) return openLink;
  const { shared, signal, token, ...others } = options;
  const wantsToken = typeof token === "function";
  const told = { ...others, token: wantsToken ? undefined : token };
  const cloned = JSON.parse(JSON.stringify(told));
  const absolute = new URL(url, location.href).href;
  const unique = name ? [absolute, name] : [absolute, cloned, wantsToken];
  const key = `trolleybus ${await digest(JSON.stringify(unique))}`;
  return (_, options, attempts, observer) => {
    const settings = { url: absolute, options: cloned, attempts, wantsToken };
    const place = { name: key, lock: `${key} tab ${crypto.randomUUID()}`, worker, settings };
    return sit(place, options, observer, openLink, mayWorker, mayTab);
  };
};

/** Whether a SharedWorker may host, and whether a tab may. */
const ways = (via) => {
  const wants = (way) => via === "auto" || via === way;
  // Service workers end when nothing happens in them, and would take the connection along.
  if (!globalThis.navigator?.locks || "ServiceWorkerGlobalScope" in globalThis) return [false, false];
  return [
    wants("worker") && typeof SharedWorker === "function",
    wants("tab") && typeof BroadcastChannel === "function",
  ];
};

const sit = (place, options, observer, openLink, mayWorker, mayTab) => {
  let seat;
  const events = new AbortController();
  const link = new RemoteLink(options, observer, () => {
    seat?.stop();
    events.abort();
  });
  const start = () => {
    seat = mayWorker ? new WorkerSeat(place, link, fallBack) : new TabSeat(place, link, openLink);
    seat.start();
  };
  const fallBack = () => {
    [seat, mayWorker] = [undefined, false];
    const text = "there is no worker for the connection";
    link.detach(text);
    if (mayTab) start();
    else link.end(text);
  };
  // A page that sleeps, or is kept to be gone back to, must neither host nor be waited for.
  const leave = () => {
    link.detach("the page was left");
    seat?.stop();
    seat = undefined;
  };
  const { document } = globalThis;
  const on = (target, type, react) => target?.addEventListener(type, react, { signal: events.signal });
  on(globalThis, "pagehide", leave);
  on(document, "freeze", leave);
  on(globalThis, "pageshow", ({ persisted }) => persisted && !seat && start());
  on(document, "resume", () => seat ?? start());
  start();
  return link;
};

/** Names of workers and locks show nothing of tokens. */
const digest = async (text) => {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
};
