/** Calls listeners so that they can neither alter nor fail a run: they get copies, and their errors end here. */
import type { Logger } from '../ports.ts';
import { type Redact, redactedReport } from './redact.ts';
import type { RunObserver } from './run-options.ts';

type Notice<Name extends keyof RunObserver> = Parameters<NonNullable<RunObserver[Name]>>[0];

export type Notify = <Name extends keyof RunObserver>(name: Name, notice: Notice<Name>) => void;

export function notifier(observer: RunObserver | undefined, logger: Logger, redact?: Redact): Notify {
  let hasComplained = false;
  const complain = (error: unknown): void => {
    if (hasComplained) return;
    hasComplained = true;
    logger.log('warning', `A listener of the run failed; further failures are not logged: ${String(error)}`);
  };
  return (name, notice) => {
    if (observer?.[name] === undefined) return;
    try {
      const listen = observer[name] as (notice: unknown) => unknown;
      const returned = listen.call(observer, structuredClone(redactedReport(notice, redact)));
      if (returned instanceof Promise) returned.catch(complain);
    } catch (error) {
      complain(error);
    }
  };
}
