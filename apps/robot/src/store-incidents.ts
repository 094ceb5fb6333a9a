/**
 * What the local store has lost or set aside. The store itself logs it when it is opened; here it goes to the audit log,
 * and to operators: for a while the robot's presence and status name it, with the jobs whose records are gone.
 */
import type { JsonObject } from '@casare/execution';
import type { AuditLogger } from '@casare/observability';
import type { Incident, Store } from '@casare/offline-store';

/** How long an incident is shown after it happened, in ms. */
const shownForMs = 7 * 86_400_000;
/** At most so many are shown, the newest; their details are cut (I7). */
const maxShown = 20;
const maxDetail = 300;

/** Tells the audit log what was found when the store was opened this time. */
export function auditIncidents(store: Pick<Store, 'opening'>, audit: Pick<AuditLogger, 'storeIncident'> | null): void {
  for (const { kind, jobId, detail } of store.opening.incidents)
    audit?.storeIncident({ kind, detail, ...(jobId === null ? {} : { jobId }) });
}

/** What operators are shown of it. */
export async function recentIncidents(store: Pick<Store, 'incidents'>, now: number): Promise<readonly JsonObject[]> {
  const incidents = await store.incidents(maxShown);
  return incidents.filter(({ atMs }) => now - atMs < shownForMs).map(incidentJson);
}

function incidentJson({ kind, atMs, jobId, detail }: Incident): JsonObject {
  return { kind, at: new Date(atMs).toISOString(), job_id: jobId, detail: detail.slice(0, maxDetail) };
}
