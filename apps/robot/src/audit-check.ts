/**
 * Whether the audit log that the robot goes on with is as it was written. Looked at once, beside the robot's work: its size
 * must not delay a start, and the robot goes on in any case. What is missing at the end shows against anchors only.
 */
import type { Clock, Logger } from '@casare/execution';
import { AuditEventType, type AuditFinding, type AuditLogger, verifyAuditLog } from '@casare/observability';
import { messageOf } from './message-of.ts';

export interface AuditCheckOptions {
  readonly audit: Pick<AuditLogger, 'log'>;
  readonly folder: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Of one core: a log of 2 GB is a few minutes' work then, and nobody notices. */
const share = 0.1;

export class AuditCheck {
  readonly #options: AuditCheckOptions;
  readonly #stopped = new AbortController();
  #problem: string | null = null;

  constructor(options: AuditCheckOptions) {
    this.#options = options;
  }

  /** In words; null when nothing is wrong, or nobody has looked yet. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Resolves when the log was looked at; never rejects. */
  async run(): Promise<void> {
    const { folder, clock } = this.#options;
    try {
      const { ok, findings, findingCount } = await verifyAuditLog(folder, {
        signal: this.#stopped.signal,
        pace: { share, clock },
      });
      const [first] = findings;
      if (ok || first === undefined) return;
      const others = findingCount === 1 ? '' : `, and ${findingCount - 1} more`;
      this.#tell(`${placeOf(first)}: ${first.what}${others}`, {
        file: first.file,
        seq: first.seq,
        findings: findingCount,
      });
    } catch (error) {
      if (!this.#stopped.signal.aborted) this.#tell(messageOf(error), {});
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  #tell(problem: string, details: Readonly<Record<string, string | number | null>>): void {
    if (this.#stopped.signal.aborted) return;
    this.#problem = problem;
    const { audit, logger } = this.#options;
    logger.log(
      'critical',
      `the audit log is not as it was written: ${problem}; \`casare-robot audit verify\` tells all`,
    );
    audit.log(AuditEventType.AUDIT_DAMAGED, 'The audit log is not as it was written', {
      details: { problem, ...details },
    });
  }
}

/** The file, and the line where it is about one. */
export function placeOf({ file, line }: AuditFinding): string {
  return line === null ? file : `${file}:${line}`;
}
