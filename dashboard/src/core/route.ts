/** The page's address is the part behind `#`, so that the server needs to know only one page. */
export type Route =
  | { readonly page: "wall" }
  | { readonly page: "setup"; readonly token: string }
  | { readonly page: "zones"; readonly cameraId: string }
  /** `choice` is the page's own: what it shows of what, as a query string. */
  | { readonly page: "statistics"; readonly choice: string }
  | { readonly page: "system" };

/** Reads `location.hash`; anything unknown is the wall. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  if (path === "/setup") return { page: "setup", token: new URLSearchParams(query).get("token") ?? "" };
  if (path === "/statistics") return { page: "statistics", choice: query };
  if (path === "/system") return { page: "system" };
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
  if (route.page === "statistics") return `#/statistics${route.choice === "" ? "" : `?${route.choice}`}`;
  if (route.page === "system") return "#/system";
  return "#/";
}

export function navigate(route: Route): void {
  location.hash = routeHash(route);
}
