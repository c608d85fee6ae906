/** Packs what was built, and fails when what the first route loads is over its budget. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET = 400_000;
const folder = "../src/sancho/web/static";
const assets = join(folder, "assets");

const packed = new Map();
for (const name of readdirSync(assets)) {
  const small = gzipSync(readFileSync(join(assets, name)), { level: 9 });
  writeFileSync(join(assets, `${name}.gz`), small);
  packed.set(name, small.length);
}
const html = readFileSync(join(folder, "index.html"), "utf8");
const first = [...packed].filter(([name]) => html.includes(name));
const size = first.reduce((sum, [, length]) => sum + length, 0);
console.log(`The first route loads ${(size / 1000).toFixed(1)} kB of at most ${BUDGET / 1000} kB, gzipped.`);
if (size > BUDGET) process.exit(1);
