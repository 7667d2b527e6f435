// The script of a SharedWorker; see the option `shared`. There is nothing to import from it.
export {};
