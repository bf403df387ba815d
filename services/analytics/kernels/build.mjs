/** Compiles kernels/picture.as into src/domain/kernels/picture-wasm.ts; the compiler comes from npm when it is called. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const COMPILER = "assemblyscript@0.28.20";
const source = fileURLToPath(new URL("./picture.as", import.meta.url));
const target = fileURLToPath(new URL("../src/domain/kernels/picture-wasm.ts", import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), "huishi-kernels-"));
try {
  const text = readFileSync(source);
  writeFileSync(path.join(folder, "picture.ts"), text);
  const options = ["-O3", "--runtime", "stub", "--noAssert", "--enable", "simd", "--importMemory"];
  execFileSync(
    "npx",
    ["--yes", "--package", COMPILER, "asc", "picture.ts", ...options, "--outFile", "picture.wasm"],
    { cwd: folder, stdio: "inherit" },
  );
  const wasm = readFileSync(path.join(folder, "picture.wasm")).toString("base64");
  const sha256 = createHash("sha256").update(text).digest("hex");
  writeFileSync(
    target,
    `// Made by kernels/build.mjs from kernels/picture.as (${COMPILER}): do not edit.
export const SOURCE_SHA256 = "${sha256}";
export const PICTURE_WASM =
  "${wasm}";
`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
