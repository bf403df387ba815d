/** The page's address is the part behind `#`, so that the server needs to know only one page. */
export type Route =
  | { readonly page: "wall" }
  | { readonly page: "setup"; readonly token: string }
  | { readonly page: "zones"; readonly cameraId: string };

/** Reads `location.hash`; anything unknown is the wall. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  if (path === "/setup") return { page: "setup", token: new URLSearchParams(query).get("token") ?? "" };
  const zones = /^\/zones\/([^/]+)$/.exec(path);
  if (zones?.[1]) {
    try {
      return { page: "zones", cameraId: decodeURIComponent(zones[1]) };
    } catch {
      return { page: "wall" };
    }
  }
  return { page: "wall" };
}

export function routeHash(route: Route): string {
  if (route.page === "zones") return `#/zones/${encodeURIComponent(route.cameraId)}`;
  if (route.page === "setup") return `#/setup?token=${encodeURIComponent(route.token)}`;
  return "#/";
}

export function navigate(route: Route): void {
  location.hash = routeHash(route);
}
