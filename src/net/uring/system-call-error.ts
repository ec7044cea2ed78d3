import { errorText } from '../socket-error.ts';

/** A system call that failed, in Node's words. */
export class SystemCallError extends Error {
  readonly code: string;
  readonly syscall: string;

  constructor(syscall: string, errno: number) {
    const code = process.getBuiltinModule('node:util').getSystemErrorName(-errno);
    super(`${syscall}: ${errorText({ code, name: code, message: code })}`);
    this.code = code;
    this.syscall = syscall;
  }
}
