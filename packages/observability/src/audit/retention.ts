/** When an audit folder is looked after: one pass at a time, and what stays against its age is told once. */

import { AuditError } from '../errors.ts';
import { AuditEventType } from './audit-event.ts';
import { type KeepOptions, type KeptFiles, keepAuditFiles } from './keep-audit-files.ts';

export interface RetentionOptions extends Omit<KeepOptions, 'onRemoved'> {
  /** Records an entry; false when that failed. */
  readonly record: (type: AuditEventType, message: string, details: Readonly<Record<string, unknown>>) => boolean;
}

export class Retention {
  readonly #options: RetentionOptions;
  #pass: Promise<KeptFiles> | null = null;
  #isDue = false;
  #problem: string | null = null;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Which file is due to be removed and stays, because it is not as it was written; null when none does. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Never rejects. */
  run(): Promise<KeptFiles> {
    this.#isDue = true;
    this.#pass ??= this.#keep().finally(() => {
      this.#pass = null;
    });
    return this.#pass;
  }

  /** Once more when it was asked for meanwhile. */
  async #keep(): Promise<KeptFiles> {
    const total = { compressed: 0, removed: 0, refused: null as string | null };
    while (this.#isDue) {
      this.#isDue = false;
      const { compressed, removed, refused } = await this.#keepOnce();
      this.#tellRefused(refused);
      total.refused = refused;
      total.compressed += compressed;
      total.removed += removed;
    }
    return total;
  }

  #keepOnce(): Promise<KeptFiles> {
    const { record, ...options } = this.#options;
    return keepAuditFiles({
      ...options,
      onRemoved: (removed) => {
        const message = `${removed.segments.length + removed.earlierFiles.length} audit files removed by retention`;
        return record(AuditEventType.AUDIT_SEGMENTS_REMOVED, message, { ...removed });
      },
    });
  }

  /** Once for each reason. */
  #tellRefused(problem: string | null): void {
    const isTold = problem === null || problem === this.#problem;
    this.#problem = problem;
    if (isTold) return;
    const message = 'Audit files are not removed: they are not as they were written';
    this.#options.record(AuditEventType.AUDIT_RETENTION_REFUSED, message, { problem });
    this.#options.onError(
      new AuditError(
        'AUDIT_RETENTION_REFUSED',
        `files of the audit log that are due to be removed stay, because they are not as they were written: ${problem}`,
      ),
    );
  }
}
