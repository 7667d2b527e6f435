// The WebAssembly module, loaded from beside this file.

import { Bus, __wbg_finalize_init, __wbg_get_imports } from "./trolleybus.js";

const url = new URL("trolleybus_bg.wasm", import.meta.url);

const load = async (imports) => {
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

const { instance, module } = await load(__wbg_get_imports());
__wbg_finalize_init(instance, module);

export { Bus };
