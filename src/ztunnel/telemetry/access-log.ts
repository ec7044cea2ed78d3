import { formatAddress } from '../../core/peer.ts';
import type { ConnectionError, ConnectionFacts } from '../proxy/connection-facts.ts';
import type { Workload } from '../state/workload.ts';
import { ZtunnelLevel, type LogField, type LogLines } from './log-lines.ts';

const scope = 'access';

/** Lines of connections, as ztunnel writes them. */
export class AccessLog {
  private readonly lines: LogLines;

  constructor(lines: LogLines) {
    this.lines = lines;
  }

  opened(facts: ConnectionFacts): void {
    if (this.lines.isOn(ZtunnelLevel.Debug))
      this.lines.write(ZtunnelLevel.Debug, scope, 'connection opened', fieldsOf(facts));
  }

  refused(facts: ConnectionFacts, error: ConnectionError): void {
    this.lines.write(ZtunnelLevel.Warn, scope, 'connection failed', [...fieldsOf(facts), ['error', error.text]]);
  }

  completed(
    facts: ConnectionFacts,
    error: ConnectionError | null,
    sentBytes: number,
    receivedBytes: number,
    ms: number,
  ): void {
    const level = error === null ? ZtunnelLevel.Info : ZtunnelLevel.Error;
    if (!this.lines.isOn(level)) return;
    // As who writes it sees it: a client sends what its server receives.
    const isOutbound = facts.direction === 'outbound';
    const fields: LogField[] = [
      ...fieldsOf(facts),
      ['bytes_sent', isOutbound ? receivedBytes : sentBytes],
      ['bytes_recv', isOutbound ? sentBytes : receivedBytes],
      ['duration', `${Math.floor(ms)}ms`],
    ];
    if (error !== null) fields.push(['error', error.text]);
    this.lines.write(level, scope, 'connection complete', fields);
  }
}

function fieldsOf(facts: ConnectionFacts): LogField[] {
  const fields: LogField[] = [['src.addr', { plain: formatAddress(facts.sourceAddress) }]];
  addWorkload(fields, 'src', facts.source);
  if (facts.sourceIdentity !== '') fields.push(['src.identity', facts.sourceIdentity]);
  fields.push(['dst.addr', { plain: formatAddress(facts.destinationAddress) }]);
  if (facts.hboneAddress !== '') fields.push(['dst.hbone_addr', { plain: facts.hboneAddress }]);
  if (facts.service !== null) fields.push(['dst.service', facts.service.hostname]);
  addWorkload(fields, 'dst', facts.destination);
  if (facts.destinationIdentity !== '') fields.push(['dst.identity', facts.destinationIdentity]);
  fields.push(['direction', facts.direction]);
  return fields;
}

function addWorkload(fields: LogField[], side: 'src' | 'dst', workload: Workload | null): void {
  if (workload === null) return;
  fields.push([`${side}.workload`, workload.name], [`${side}.namespace`, workload.namespace]);
}
