// What the tests need from outside: programs and folders, named by environment variables.

import { existsSync } from "node:fs";

/** The path in an environment variable; an error that says what to do where there is none. */
export function needed(name) {
  const path = process.env[name];
  const help = "`cargo xtask test` builds it and sets this";
  if (!path) throw new Error(`${name} is not set: ${help}`);
  if (!existsSync(path)) throw new Error(`${name} is ${path}, where nothing is: ${help}`);
  return path;
}
