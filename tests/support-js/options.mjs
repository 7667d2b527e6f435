// Options of programs that measure: what makes no sense ends the program with one line, before it begins.

import { parseArgs } from "node:util";

/** Ends the program as misused. */
export function misused(explanation) {
  console.error(explanation);
  process.exit(2);
}

/** What `args` say, by name. Beside the types of `parseArgs` there is `number`, a whole one above zero. */
export function read(args, known) {
  const plain = ([name, option]) => [name, option.type === "number" ? { ...option, type: "string" } : option];
  const values = parsed(args, Object.fromEntries(Object.entries(known).map(plain)));
  for (const [name, text] of Object.entries(values)) {
    if (known[name].type !== "number") continue;
    if (!/^[1-9]\d{0,8}$/.test(text)) misused(`--${name} takes a whole number above zero, and not \`${text}\``);
    values[name] = Number(text);
  }
  return values;
}

function parsed(args, options) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    const names = Object.keys(options).map((name) => `--${name}`);
    return misused(`${error.message.split(/\. |\n/)[0]}; the options are: ${names.join(", ")}`);
  }
}

/** Ends the program where something is `given` that is in none of the `names`. */
export function known(what, given, names, fits) {
  if (!names.some((name) => fits(name, given))) misused(`no ${what} fits \`${given}\`; there are: ${names.join("; ")}`);
}
