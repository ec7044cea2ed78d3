import { loadFfi } from '../../../net/ffi.ts';
import { Verdict, type Inspected, type ListenerFilter } from '../listener-filter.ts';

export interface OriginalSrcData {
  /** SO_MARK of the connections; 0: none. */
  readonly mark: number;
}

/** Upstreams see the client's address: connections for it leave from there, from any port. */
export class OriginalSrc implements ListenerFilter {
  private readonly mark: number;

  /** Throws where Node cannot set the options that this needs. */
  constructor({ mark }: OriginalSrcData) {
    loadFfi();
    this.mark = mark;
  }

  inspect({ peer }: Inspected): Verdict {
    if (peer.remote.kind === 'ip') peer.source = { host: peer.remote.host, mark: this.mark };
    return Verdict.Continue;
  }
}
