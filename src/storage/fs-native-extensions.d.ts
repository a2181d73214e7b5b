declare module "fs-native-extensions" {
  /** Locks the whole file for this descriptor; false if another process holds it. */
  export function tryLock(fd: number): boolean;
  /** Locks the whole file for this descriptor, once no other process holds it. */
  export function waitForLockSync(fd: number): void;
}
