declare module "onvif/lib/utils.js" {
  /** Calls back with the body of the SOAP envelope as a tree; twice when the callback throws. */
  export function parseSOAPString(
    xml: string,
    callback: (error: unknown, data?: unknown, xml?: string, statusCode?: number) => void,
    statusCode?: number,
  ): void;
}
