import { frameBytesDefault, int31Max, readUint32 } from './frame.ts';
import { ErrorCode } from './error-code.ts';

/** Identifiers of settings (RFC 9113 section 6.5.2, RFC 8441 section 3). */
export const Setting = {
  HeaderTableSize: 1,
  EnablePush: 2,
  MaxConcurrentStreams: 3,
  InitialWindowSize: 4,
  MaxFrameSize: 5,
  MaxHeaderListSize: 6,
  EnableConnectProtocol: 8,
} as const;

/** Bytes of one setting: identifier (16 bits) and value (32). */
export const settingBytes = 6;

/** What the peer's SETTINGS say. Begins with the protocol's defaults. */
export class PeerSettings {
  headerTableSize: number;
  maxConcurrentStreams: number;
  initialWindowSize: number;
  maxFrameSize: number;
  enableConnectProtocol: boolean;

  constructor() {
    this.headerTableSize = 4096;
    this.maxConcurrentStreams = Infinity;
    this.initialWindowSize = 65535;
    this.maxFrameSize = frameBytesDefault;
    this.enableConnectProtocol = false;
  }

  /**
   * Reads a SETTINGS payload, whose length has been checked; later values win over earlier ones.
   * `isServer`: it comes from a server, which must not allow push to us. Unknown settings are ignored.
   */
  apply(bytes: Uint8Array, start: number, end: number, isServer: boolean): ErrorCode {
    for (let at = start; at < end; at += settingBytes) {
      const error = this.set((bytes[at] << 8) | bytes[at + 1], readUint32(bytes, at + 2), isServer);
      if (error !== ErrorCode.NoError) return error;
    }
    return ErrorCode.NoError;
  }

  private set(setting: number, value: number, isServer: boolean): ErrorCode {
    switch (setting) {
      case Setting.HeaderTableSize:
        this.headerTableSize = value;
        break;
      case Setting.EnablePush:
        if (value > 1 || (isServer && value === 1)) return ErrorCode.ProtocolError;
        break;
      case Setting.MaxConcurrentStreams:
        this.maxConcurrentStreams = value;
        break;
      case Setting.InitialWindowSize:
        if (value > int31Max) return ErrorCode.FlowControlError;
        this.initialWindowSize = value;
        break;
      case Setting.MaxFrameSize:
        if (value < frameBytesDefault || value > 0xffffff) return ErrorCode.ProtocolError;
        this.maxFrameSize = value;
        break;
      case Setting.EnableConnectProtocol:
        // RFC 8441 section 3: a peer that has allowed it cannot take that back.
        if (value > 1 || (value === 0 && this.enableConnectProtocol)) return ErrorCode.ProtocolError;
        this.enableConnectProtocol = value === 1;
        break;
      default:
    }
    return ErrorCode.NoError;
  }
}
