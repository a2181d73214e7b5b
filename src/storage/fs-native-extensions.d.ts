declare module "fs-native-extensions" {
  /** Locks the whole file for this descriptor; returns false if another process has locked it. */
  export function tryLock(fd: number): boolean;
  /** Waits until no other process has locked the file, then locks it for this descriptor. */
  export function waitForLockSync(fd: number): void;
}
