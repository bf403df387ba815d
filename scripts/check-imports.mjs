// Checks the directions of import (.dependency-cruiser.cjs), and that the checker saw the modules at all:
// with no TypeScript parser it once reported '0 modules, no violation'.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

// dependency-cruiser's swc parser knows TypeScript but not TSX: tell it by the file's name, before it is loaded.
const swc = require("@swc/core");
const parseFileSync = swc.parseFileSync;
swc.parseFileSync = (file, options) => parseFileSync(file, { ...options, tsx: file.endsWith(".tsx") });
const { cruise } = await import("dependency-cruiser");

const config = require("../.dependency-cruiser.cjs");
const places = ["packages", "services", "edge-agent", "dashboard", "deploy"];

function* sourcesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (["node_modules", "dist"].includes(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sourcesBelow(path);
    else if (/\.tsx?$/.test(entry.name)) yield path;
  }
}

const expected = places.flatMap((place) => [...sourcesBelow(place)]);
const { output } = await cruise(places, {
  ...config.options,
  ruleSet: { forbidden: config.forbidden },
  validate: true,
});
const seen = output.modules.filter((module) =>
  /^(packages|services|edge-agent|dashboard|deploy)\//.test(module.source),
);
const withImports = seen.filter((module) => module.dependencies.length > 0).length;
for (const violation of output.summary.violations) {
  console.error(`${violation.rule.severity} ${violation.rule.name}: ${violation.from} -> ${violation.to}`);
}
console.log(
  `${seen.length} modules of ${expected.length} files seen, ${withImports} with imports, ${output.summary.violations.length} violations`,
);
const sourceImports = expected.filter((path) => /^import /m.test(readFileSync(path, "utf8"))).length;
if (seen.length < expected.length || withImports < sourceImports * 0.9) {
  console.error(
    `The checker saw too little: ${expected.length} source files, ${sourceImports} of them with imports.`,
  );
  process.exit(1);
}
process.exit(output.summary.error > 0 ? 1 : 0);
