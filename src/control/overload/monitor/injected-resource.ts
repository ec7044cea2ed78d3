import { runtimeText } from '../../runtime-data.ts';
import type { SystemFiles } from './files.ts';
import type { ResourceMonitor } from './monitor.ts';

/**
 * `envoy.resource_monitors.injected_resource`: the pressure stands in a file. As Envoy, a file counts when it is moved
 * to its place; writing into it is not noticed, so that nobody reads half of a number.
 */
export class InjectedResource implements ResourceMonitor {
  private readonly path: string;
  private readonly files: SystemFiles;
  private identity: number;
  private value: number;
  /** Why there is no value; empty: there is one. */
  private problem: string;

  constructor(path: string, files: SystemFiles) {
    this.path = path;
    this.files = files;
    this.identity = -1;
    this.value = 0;
    this.problem = '';
  }

  pressure(): number {
    this.readIfMoved();
    if (this.problem !== '') throw new Error(this.problem);
    return this.value;
  }

  private readIfMoved(): void {
    try {
      const identity = this.files.identity(this.path);
      if (identity === this.identity) return;
      this.identity = identity;
      this.value = runtimeText(this.files.read(this.path)).number ?? NaN;
      if (Number.isNaN(this.value)) this.problem = 'failed to parse injected resource pressure';
      else this.problem = this.value < 0 || this.value > 1 ? 'pressure out of range' : '';
    } catch (error) {
      // The value that was read before holds on while there is no file.
      if (this.identity === -1) this.problem = (error as Error).message;
    }
  }
}
