// The code blocks of the documentation, as programs.

import { readFileSync } from "node:fs";

const BLOCK = /^```(\w+)\n([\s\S]*?)^```$/gm;
const IMPORT = /^import [^;]*;\n?/gm;

/** All blocks in one of `languages`: where each begins, its imports, and the rest. */
export function snippets(file, ...languages) {
  const text = readFileSync(file, "utf8");
  return Array.from(text.matchAll(BLOCK))
    .filter(([, language]) => languages.includes(language))
    .map(({ index, 1: language, 2: code }) => ({
      line: text.slice(0, index).split("\n").length,
      language,
      imports: code.match(IMPORT) ?? [],
      code: code.replaceAll(IMPORT, ""),
    }));
}

/** Those of `names` that a snippet uses and does not bring along. */
export const missing = ({ imports, code }, names) =>
  names.filter((name) => {
    const word = new RegExp(`\\b${name}\\b`);
    const declared = new RegExp(`\\b(?:const|let|function|class) (?:\\{[^}]*|\\[[^\\]]*)?\\b${name}\\b`);
    return word.test(code) && !declared.test(code) && !imports.some((line) => word.test(line));
  });
