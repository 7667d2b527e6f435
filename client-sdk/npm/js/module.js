// The WebAssembly module, loaded from beside this file when the first bus wants it: so the package
// can be imported where nothing may be awaited at the top, as in a service worker.

import { Bus, __wbg_finalize_init, __wbg_get_imports } from "./trolleybus.js";

const instantiate = async (imports) => {
  const url = new URL("trolleybus_bg.wasm", import.meta.url);
  if (url.protocol === "file:") {
    // Node; asked like this, because bundlers for browsers would look for what is imported.
    const { readFileSync } = process.getBuiltinModule("fs");
    return WebAssembly.instantiate(readFileSync(url), imports);
  }
  const response = await fetch(url);
  // Streaming asks for a type that not every server gives.
  if (response.headers.get("Content-Type") === "application/wasm")
    return WebAssembly.instantiateStreaming(response, imports);
  return WebAssembly.instantiate(await response.arrayBuffer(), imports);
};

const start = async () => {
  const { instance, module } = await instantiate(__wbg_get_imports());
  __wbg_finalize_init(instance, module);
  return Bus;
};

let starting;

/** The class, once there is one. What failed is tried anew by whoever asks next. */
export const load = () =>
  (starting ??= start().catch((error) => {
    starting = undefined;
    throw error;
  }));
