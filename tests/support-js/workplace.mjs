// Projects as users have them: the packed npm package installed, bundlers beside it.

import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { needed } from "./needs.mjs";
import { run } from "./process.mjs";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** How long a bundler or npm may take on a busy machine. */
const TOOL_LIMIT = 120_000;

const INSTALL = ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"];

/** A folder where the package is installed from its tarball, and nothing else of ours can be seen. */
export class Workplace {
  /** With bundlers the folder lies among them, where projects find them. */
  static async make({ bundlers = true } = {}) {
    const folder = await mkdtemp(join(bundlers ? needed("TROLLEYBUS_BUNDLERS") : tmpdir(), "work-"));
    const place = new Workplace(folder);
    try {
      await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
      await place.npm(folder, "pack", needed("TROLLEYBUS_PACKAGE"));
      const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
      place.tarball = join(folder, tarball);
      await place.npm(folder, ...INSTALL, place.tarball);
      return place;
    } catch (error) {
      await place.remove();
      throw error;
    }
  }

  constructor(folder) {
    this.folder = folder;
    /** The installed package. */
    this.package = join(folder, "node_modules/trolleybus");
  }

  /** Runs npm in a folder. What it says is given; a failure is an error. */
  npm(folder, ...args) {
    return succeed("npm", args, folder);
  }

  /** A copy of a project of the repository, apart from what was built or installed there. */
  async project(source) {
    const folder = join(this.folder, source.split("/").at(-1));
    const isOurs = (path) => !/\/(node_modules|dist)$/.test(path);
    await cp(join(ROOT, source), folder, { recursive: true, filter: isOurs });
    return folder;
  }

  /** Runs a bundler's command in a project. What it says is given; a failure is an error. */
  tool(name, args, folder) {
    return succeed(tool(name), args, folder);
  }

  remove() {
    return rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The program of an installed bundler. */
export const tool = (name) => join(needed("TROLLEYBUS_BUNDLERS"), "node_modules/.bin", name);

async function succeed(program, args, cwd) {
  await mkdir(cwd, { recursive: true });
  const { code, out, err } = await run(program, args, { cwd, limit: TOOL_LIMIT, env: { NO_COLOR: "1" } });
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${out}${err}`);
  return out + err;
}
