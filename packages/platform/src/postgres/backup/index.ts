export { type BackupOptions, type BackupProgress, type BackupResult, createBackup } from "./dump.ts";
export { type FileToKeep } from "./kept-files.ts";
export { type BackupManifest } from "./manifest.ts";
export { restoreBackup, type RestoreResult } from "./restore.ts";
export { type RestoredFiles, type RestoreOptions, type RestoreProgress } from "./restore-options.ts";
export { verifyBackup } from "./verify.ts";
