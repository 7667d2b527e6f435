// Programs under test: started, listened to, and ended by their process id.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Inbox, LIMIT, within } from "./waiting.mjs";

const running = new Set();

// Whatever ends the tests ends what they started.
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(1));

/** The environment without settings that would reach the programs under test. */
function environment(extra) {
  const kept = Object.entries(process.env).filter(([name]) => !/^TROLLEYBUS_(URL$|LOG$|.*__)/.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

/** A child whose standard output is an inbox of lines. */
export class Program {
  constructor(file, args, env = {}, cwd = undefined) {
    this.name = [file.split("/").at(-1), ...args].join(" ");
    this.lines = new Inbox(`the output of ${this.name}`);
    this.errors = new Inbox(`the errors of ${this.name}`);
    this.said = "";
    this.complaints = "";
    const child = spawn(file, args, { cwd, env: environment(env), stdio: ["pipe", "pipe", "pipe"] });
    this.child = child;
    running.add(child);
    // A program that does not read its input closes it.
    child.stdin.on("error", () => {});
    const listen = (stream, inbox) =>
      createInterface({ input: stream }).on("line", (line) => inbox.push(line));
    listen(child.stdout, this.lines);
    listen(child.stderr, this.errors);
    child.stdout.on("data", (text) => (this.said += text));
    child.stderr.on("data", (text) => (this.complaints += text));
    this.closed = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(code ?? signal));
    });
    this.closed.catch(() => {}).finally(() => running.delete(child));
  }

  /** The exit code, or the name of the signal. */
  ended(limit = LIMIT) {
    return within(this.closed, `the end of ${this.name}`, limit);
  }

  /** The first line that matches; an end before it is an error. */
  async line(pattern) {
    const early = this.closed.then((code) => {
      throw new Error(`${this.name} ended with ${code}: ${this.complaints}`);
    });
    early.catch(() => {});
    for (;;) {
      const line = await Promise.race([this.lines.next(), early]);
      const match = line.match(pattern);
      if (match) return match;
    }
  }

  async stop(signal = "SIGTERM") {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.closed;
    this.child.kill(signal);
    try {
      return await this.ended();
    } catch (error) {
      this.child.kill("SIGKILL");
      throw error;
    }
  }
}

/** Runs a program to its end, with `input` as its standard input. */
export async function run(file, args, { input = "", env = {}, cwd, limit } = {}) {
  const program = new Program(file, args, env, cwd);
  program.child.stdin.end(input);
  const code = await program.ended(limit);
  return { code, out: program.said, err: program.complaints };
}
