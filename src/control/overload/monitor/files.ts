import { readFileSync, statSync } from 'node:fs';

/** What monitors read, so that a test may have it otherwise than this machine. */
export interface SystemFiles {
  /** @throws Error when it cannot be read */
  read(path: string): string;
  exists(path: string): boolean;
  /**
   * Another number when another file has come to this path.
   * @throws Error when there is none
   */
  identity(path: string): number;
}

/** Of this machine. */
export const systemFiles: SystemFiles = {
  read: (path) => readFileSync(path, 'utf8'),
  exists: (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
  identity: (path) => statSync(path).ino,
};
