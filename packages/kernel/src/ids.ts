/** Identifiers that stand in MQTT topics, URLs and file names: lower case, digits, hyphens (docs: facts of MQTT identity). */
export const ID_PATTERN = "^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$";
const idRegExp = new RegExp(ID_PATTERN);

export function isId(text: string): boolean {
  return idRegExp.test(text);
}

/** Makes an identifier out of any text ("Axis P3245 (north)" -> "axis-p3245-north"); empty when nothing is left. */
export function slugify(text: string): string {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
    .replace(/-+$/g, "");
}
