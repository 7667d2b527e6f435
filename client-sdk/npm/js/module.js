// The WebAssembly module, loaded from beside this file.

import { Bus, __wbg_finalize_init, __wbg_get_imports } from "./trolleybus.js";

const url = new URL("trolleybus_bg.wasm", import.meta.url);

const load = async (imports) => {
  if (url.protocol === "file:") {
    // Node; the name is in a variable so that no bundler for browsers looks for the module.
    const fs = "node:fs/promises";
    const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ fs);
    return WebAssembly.instantiate(await readFile(url), imports);
  }
  const response = await fetch(url);
  // Streaming asks for a type that not every server gives.
  if (response.headers.get("Content-Type") === "application/wasm")
    return WebAssembly.instantiateStreaming(response, imports);
  return WebAssembly.instantiate(await response.arrayBuffer(), imports);
};

const { instance, module } = await load(__wbg_get_imports());
__wbg_finalize_init(instance, module);

export { Bus };
