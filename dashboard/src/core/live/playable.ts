/** Can this browser play live pictures and tell which frame is on the screen? */
export function canPlayLive(): boolean {
  return "MediaSource" in globalThis && "requestVideoFrameCallback" in HTMLVideoElement.prototype;
}
