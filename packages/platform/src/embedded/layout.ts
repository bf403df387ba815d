import path from "node:path";

export const USER = "huishi";
export const DATABASE = "huishi";

/** Where an embedded database keeps what. */
export interface Layout {
  readonly cluster: string;
  readonly password: string;
  readonly port: string;
  readonly log: string;
}

export function layoutOf(dataDir: string): Layout {
  return {
    cluster: path.join(dataDir, "cluster"),
    password: path.join(dataDir, "password"),
    port: path.join(dataDir, "port"),
    log: path.join(dataDir, "postgres.log"),
  };
}

/** A secret. */
export const urlOf = (port: number, password: string, database: string = DATABASE): string =>
  `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
