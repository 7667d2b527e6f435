// The one error, and callbacks whose exceptions go no further.

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

/** An exception of the application must not stop the bus. */
export const safely = (callback, ...args) => {
  try {
    const result = callback?.(...args);
    if (typeof result?.catch === "function") result.catch((error) => console.error(error));
    return result;
  } catch (error) {
    console.error(error);
  }
};
