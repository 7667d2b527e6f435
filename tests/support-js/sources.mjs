// Sources of the npm package by themselves, with the test in the place of what they import.

import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const SOURCES = fileURLToPath(new URL("../../client-sdk/npm/js", import.meta.url));

/** Imports files of `client-sdk/npm/js`; `played` has the texts of some that stand there in place of the real ones. */
export async function fromSource(files, played = {}) {
  const folder = await mkdtemp(join(tmpdir(), "trolleybus-source-"));
  try {
    await cp(SOURCES, folder, { recursive: true });
    const texts = { "package.json": '{ "type": "module" }', ...played };
    for (const [file, text] of Object.entries(texts)) await writeFile(join(folder, file), text);
    const modules = await Promise.all(files.map((file) => import(pathToFileURL(join(folder, file)))));
    return Object.assign({}, ...modules);
  } finally {
    await rm(folder, { recursive: true });
  }
}
