import { Outcome } from '../../../observe/outcome.ts';
import { StateValues } from '../../set-filter-state/state-values.ts';
import {
  NetworkVerdict,
  type FilteredStream,
  type NetworkFilter,
  type NetworkFilterBuilder,
  type NetworkFilterFactory,
} from '../network-filter.ts';
import type { ConnectionStateData } from './connection-state-data.ts';

/** What the log of the connection will know by then. */
function outcomeOf({ id, peer, notes }: FilteredStream): Outcome {
  const outcome = new Outcome();
  outcome.connectionId = id;
  outcome.peer = peer;
  notes.describe(outcome);
  return outcome;
}

/** `envoy.filters.network.set_filter_state`, where nothing is set but for new connections: their bytes pass it by. */
class ConnectionState implements NetworkFilter, NetworkFilterFactory {
  private readonly values: StateValues;

  constructor(values: StateValues) {
    this.values = values;
  }

  create(): NetworkFilter {
    return this;
  }

  onNewConnection(stream: FilteredStream): NetworkVerdict {
    this.values.set(outcomeOf(stream));
    return NetworkVerdict.Continue;
  }
}

/** Where values are set when a handshake is over, or when the client has said something. */
class LaterConnectionState implements NetworkFilterFactory {
  readonly onNew: StateValues;
  readonly onTlsHandshake: StateValues;
  readonly onData: StateValues;

  constructor(data: ConnectionStateData) {
    this.onNew = new StateValues(data.onNewConnection);
    this.onTlsHandshake = new StateValues(data.onTlsHandshake);
    this.onData = new StateValues(data.onData);
  }

  create(): NetworkFilter {
    return new ObservedConnection(this);
  }
}

class ObservedConnection implements NetworkFilter {
  private readonly values: LaterConnectionState;
  private sawHandshake: boolean;
  private sawData: boolean;

  constructor(values: LaterConnectionState) {
    this.values = values;
    this.sawHandshake = false;
    this.sawData = false;
  }

  onNewConnection(stream: FilteredStream): NetworkVerdict {
    this.values.onNew.set(outcomeOf(stream));
    return NetworkVerdict.Continue;
  }

  onData(stream: FilteredStream): NetworkVerdict {
    this.handshaken(stream);
    if (!this.sawData) this.values.onData.set(outcomeOf(stream));
    this.sawData = true;
    return NetworkVerdict.Continue;
  }

  onClosed(stream: FilteredStream): void {
    this.handshaken(stream);
  }

  /** A handshake is noticed by what follows it: nobody could look at the values before. */
  private handshaken(stream: FilteredStream): void {
    if (this.sawHandshake || stream.peer.tls === null) return;
    this.sawHandshake = true;
    this.values.onTlsHandshake.set(outcomeOf(stream));
  }
}

export const networkSetFilterStateBuilder: NetworkFilterBuilder = {
  kind: 'envoy.extensions.filters.network.set_filter_state.v3.Config',
  build(data) {
    const { onNewConnection, onTlsHandshake, onData } = data as ConnectionStateData;
    if (onTlsHandshake.length === 0 && onData.length === 0)
      return new ConnectionState(new StateValues(onNewConnection));
    return new LaterConnectionState(data as ConnectionStateData);
  },
};
