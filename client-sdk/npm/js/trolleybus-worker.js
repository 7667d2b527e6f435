// The script of the SharedWorker: hosts the connection of the tabs that share its name.

import { openLink } from "./link.js";
import { Host } from "./shared/host.js";
import { gone, hold } from "./shared/locks.js";

let host;

/** Tabs see by this lock whether the worker lives. */
const held = hold(`${self.name} host`);

self.onconnect = ({ ports: [port] }) => {
  let seat, hosting;
  port.onmessage = async ({ data }) => {
    if (seat) return hosting.hear(seat, data);
    // The first word: which lock the tab holds as long as it lives, and how to connect.
    const [lock, settings] = data;
    hosting = host ??= new Host(openLink, () => (host = undefined));
    const joined = (seat = hosting.join((words) => port.postMessage(words), settings));
    const leave = () => hosting.leave(joined);
    gone(lock).then(leave, leave);
    await held;
    port.postMessage([["welcome"]]);
  };
};
