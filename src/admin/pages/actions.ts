import { done, text, type Page } from '../page.ts';

/** `/healthcheck/fail`. */
export const failHealthcheckPage: Page = (_request, source) => {
  source.failHealthchecks(true);
  return done;
};

/** `/healthcheck/ok`. */
export const passHealthcheckPage: Page = (_request, source) => {
  source.failHealthchecks(false);
  return done;
};

/** `/drain_listeners`. */
export const drainListenersPage: Page = ({ query }, source) => {
  const isGraceful = query.has('graceful');
  const skipExit = query.has('skip_exit');
  if (skipExit && !isGraceful) return text('skip_exit requires graceful\n', 400);
  source.drainListeners({ isGraceful, skipExit, inboundOnly: query.has('inboundonly') });
  return done;
};

/** `/reset_counters`. */
export const resetCountersPage: Page = (_request, source) => {
  source.resetCounters();
  return done;
};

/** `/reopen_logs`. */
export const reopenLogsPage: Page = (_request, source) => {
  source.reopenLogs();
  return done;
};

/** `/quitquitquit`: the answer first. */
export const quitPage: Page = (_request, source) => ({ ...done, after: () => source.quit() });

/** `/stats/recentlookups/*`: accepted; there are no look-ups to record. */
export const nothingPage: Page = () => done;
