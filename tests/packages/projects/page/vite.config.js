// Workers are modules here too: the package waits for its wasm at the top level.
export default { worker: { format: "es" } };
