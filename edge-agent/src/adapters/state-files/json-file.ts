import { open, readFile, rename } from "node:fs/promises";

/** Reads a JSON file; null when there is none, or (unless it is to throw) when it is damaged. */
export async function readJsonFile(
  file: string,
  { damaged = "null" }: { readonly damaged?: "null" | "throw" } = {},
): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (damaged === "throw") throw error;
    return null;
  }
}

/** Writes a JSON file whole or not at all, durable, readable by its owner only. */
export async function writeJsonFile(file: string, content: unknown): Promise<void> {
  const part = `${file}.part`;
  const handle = await open(part, "w", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(content, null, 2)}\n`);
    await handle.chmod(0o600);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
}
