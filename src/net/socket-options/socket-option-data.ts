/** `envoy.config.core.v3.SocketOption` of TCP sockets, as the kernel is told. */
export interface SocketOptionData {
  readonly level: number;
  readonly name: number;
  /** A number, or bytes as they are. */
  readonly value: number | Uint8Array;
  readonly moment: SocketMoment;
  /** The sockets that it is for, by their IP family; 0: all. */
  readonly family: 0 | 4 | 6;
}

/** When it is set: before the socket has its own address, with it, or when it listens. Sockets that dial know the first alone. */
export type SocketMoment = 'before-bind' | 'bound' | 'listening';
