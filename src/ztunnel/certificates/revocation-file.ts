import { readFileSync } from 'node:fs';
import type { Later } from '../../agent/identity/later.ts';
import { readRevocationLists, RevocationListError, type RevokedCertificates } from '../../identity/revocation-list.ts';
import type { Log } from '../../observe/log/log.ts';

/** How often the file is looked at: folders of ConfigMaps come, go and are linked anew, and no watch outlives all of it. */
const lookMs = 2000;

/** A file of revocation lists that may come and change; one that cannot be read leaves what was read before. */
export class RevocationFile {
  private readonly path: string;
  private readonly later: Later;
  private readonly log: Log;
  private readonly tell: (revoked: RevokedCertificates) => void;
  private last: Buffer | null;
  private problem: string;

  constructor(path: string, later: Later, log: Log, tell: (revoked: RevokedCertificates) => void) {
    this.path = path;
    this.later = later;
    this.log = log;
    this.tell = tell;
    this.last = null;
    this.problem = '';
  }

  /** What is there is told before this returns. */
  start(): void {
    this.look();
    this.later.after(lookMs, () => this.start());
  }

  private look(): void {
    try {
      const file = readFileSync(this.path);
      if (this.last?.equals(file) === true) return;
      this.last = file;
      const revoked = readRevocationLists(file);
      this.problem = '';
      this.log.info(`revocation lists of ${revoked.size} authorities: ${this.path}`);
      this.tell(revoked);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // Istio's chart names the path whether there are lists or not.
      if (code === 'ENOENT') return;
      if (!(error instanceof RevocationListError) && code === undefined) throw error;
      this.say(message);
    }
  }

  private say(problem: string): void {
    if (problem !== this.problem) this.log.warn(`${this.path}: ${problem}; what was read before holds on`);
    this.problem = problem;
  }
}
