/** Whether what listens there is reached from this machine alone. */
export function isLoopbackAddress(address: string): boolean {
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address) || address === "localhost" || address === "::1";
}
