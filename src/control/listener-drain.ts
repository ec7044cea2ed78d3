import type { ListenerScope, ToWorker } from './worker-messages.ts';

type DrainMessage = Extract<ToWorker, { kind: 'drain-listeners' }>;

/**
 * `/drain_listeners` on the main thread: clients are asked to go for the drain time, then nobody new is let in. The
 * process stays, as in Envoy; whoever asked ends it.
 */
export class ListenerDrain {
  private readonly drainTimeMs: number;
  private readonly postAll: (message: DrainMessage) => void;
  private readonly onStopped: (scope: ListenerScope) => void;
  private drained: ListenerScope;
  private stopped: ListenerScope;

  constructor(
    drainTimeMs: number,
    postAll: (message: DrainMessage) => void,
    onStopped: (scope: ListenerScope) => void,
  ) {
    this.drainTimeMs = drainTimeMs;
    this.postAll = postAll;
    this.onStopped = onStopped;
    this.drained = 'none';
    this.stopped = 'none';
  }

  /** While a drain is under way another call does nothing, as in Envoy. `keepsAccepting`: also when its time is over. */
  drain(scope: ListenerScope, keepsAccepting: boolean): void {
    if (this.drained !== 'none') return;
    this.drained = scope;
    this.postAll({ kind: 'drain-listeners', scope, graceful: true });
    if (!keepsAccepting) setTimeout(() => this.stop(scope), this.drainTimeMs).unref();
  }

  stop(scope: ListenerScope): void {
    if (this.stopped === 'all' || this.stopped === scope) return;
    this.stopped = scope;
    this.postAll({ kind: 'drain-listeners', scope, graceful: false });
    this.onStopped(scope);
  }

  /** For a worker that has just been started: what the others know. */
  get messages(): readonly DrainMessage[] {
    const messages: DrainMessage[] = [];
    if (this.drained !== 'none') messages.push({ kind: 'drain-listeners', scope: this.drained, graceful: true });
    if (this.stopped !== 'none') messages.push({ kind: 'drain-listeners', scope: this.stopped, graceful: false });
    return messages;
  }
}
