// Locks of the browser: whoever holds one lives, and whoever waits for it learns of the end.

/** Takes a lock; gives what lets go of it. */
export const hold = (name, signal) =>
  new Promise((held, failed) => {
    const kept = () => new Promise((release) => held(release));
    navigator.locks.request(name, { signal }, kept).catch(failed);
  });

/** Resolves when nobody holds the lock any more; rejects with the signal. */
export const gone = (name, signal) => navigator.locks.request(name, { mode: "shared", signal }, () => {});
