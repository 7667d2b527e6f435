// The WebAssembly module, loaded from beside this file.

import init, { Bus } from "./trolleybus.js";

const module_or_path = new URL("trolleybus_bg.wasm", import.meta.url);
if (module_or_path.protocol === "file:") {
  // Node; the name is in a variable so that no bundler for browsers looks for the module.
  const fs = "node:fs/promises";
  const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ fs);
  await init({ module_or_path: readFile(module_or_path) });
} else {
  await init({ module_or_path });
}

export { Bus };
