export { ForkedClip } from "./forked-clip.ts";
