import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** PEM files. */
export interface TestTlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Makes an authority and a certificate of `localhost` and 127.0.0.1, valid for a day, by the openssl command. */
export async function makeTlsFiles(folder: string, name = "server"): Promise<TestTlsFiles> {
  const at = (file: string): string => path.join(folder, file);
  const [caFile, caKey] = [at(`${name}-ca.pem`), at(`${name}-ca.key`)];
  const [certFile, keyFile, request, extensions] = ["pem", "key", "csr", "ext"].map((ending) =>
    at(`${name}.${ending}`),
  ) as [string, string, string, string];
  await writeFile(extensions, "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await run("openssl", [
    ...["req", "-x509", ...newKey, "-days", "1", "-subj", `/CN=${name} test authority`],
    ...["-keyout", caKey, "-out", caFile],
  ]);
  await run("openssl", ["req", ...newKey, "-subj", `/CN=${name}`, "-keyout", keyFile, "-out", request]);
  await run("openssl", [
    ...["x509", "-req", "-in", request, "-CA", caFile, "-CAkey", caKey, "-CAcreateserial"],
    ...["-days", "1", "-extfile", extensions, "-out", certFile],
  ]);
  return { caFile, certFile, keyFile };
}
