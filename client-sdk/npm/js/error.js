// The one error, callbacks whose exceptions go no further, and promises that a signal ends.

export class BusError extends Error {
  constructor(kind, failureCode, failureType, message, word) {
    super(message ?? word ?? failureType);
    this.name = "BusError";
    this.kind = kind;
    this.failureCode = failureCode;
    this.failureType = failureType;
    this.word = word;
  }
}

export const toError = (parts) => (Array.isArray(parts) ? new BusError(...parts) : parts);

export const closedError = (text) => new BusError("CLOSED", -1, "ERROR", text);

/** An exception of the application must not stop the bus. */
export const safely = (callback, argument) => {
  try {
    const result = callback?.(argument);
    if (typeof result?.catch === "function") result.catch((error) => console.error(error));
  } catch (error) {
    console.error(error);
  }
};

/** As `promise`, unless the signal is first: then `abort` is called, and its reason thrown. */
export const unless = (signal, promise, abort) =>
  signal
    ? new Promise((resolve, reject) => {
        const end = () => {
          abort?.();
          reject(signal.reason);
        };
        const settle = (how) => (value) => {
          signal.removeEventListener("abort", end);
          how(value);
        };
        promise.then(settle(resolve), settle(reject));
        if (signal.aborted) end();
        else signal.addEventListener("abort", end, { once: true });
      })
    : promise;
