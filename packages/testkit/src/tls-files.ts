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
  const newKey = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1";
  const openssl = (command: string, ...files: string[]): Promise<unknown> =>
    run("openssl", [...command.split(" "), ...files]);
  const subject = ["-subj", `/CN=${name}`];
  await openssl(`req -x509 ${newKey}`, ...subject, "-keyout", caKey, "-out", caFile);
  await openssl(`req ${newKey}`, ...subject, "-keyout", keyFile, "-out", request);
  const signer = ["-CA", caFile, "-CAkey", caKey, "-CAcreateserial"];
  await openssl("x509 -req -days 1", ...signer, "-in", request, "-extfile", extensions, "-out", certFile);
  return { caFile, certFile, keyFile };
}
