/**
 * The composition root: the one place that sees every package and hands one's object to another. The
 * compiler checks here that their ports fit.
 */
import { join } from 'node:path';
import { type RobotConfig, requireConnection, type ValidSettings, validateConfig } from '@casare/config';
import type { ConnectionManager, PollPacer, WakeUps } from '@casare/connection';
import {
  CancellationChecker,
  type Clock,
  JobExecutor,
  JobGateway,
  JobLocker,
  type JsonObject,
  type Logger,
  type NodeType,
  ProgressReporter,
  type RobotRegistration,
  systemClock,
} from '@casare/execution';
import type { AuditLogger, Redactor } from '@casare/observability';
import { CheckpointManager, OfflineQueue, openKeyFolder, openStore, type Store } from '@casare/offline-store';
import type { AuditAnchors } from './audit-anchors.ts';
import { recordPause } from './audited-actions.ts';
import { bootClockEra, createBootClock } from './boot-clock.ts';
import { composeBundles } from './bundle/compose-bundles.ts';
import { loadClaimRequest } from './claim-request.ts';
import { classifyRunError } from './classify-run-error.ts';
import { composeAudit, type RobotAudit, recordLogProblem } from './compose-audit.ts';
import { openConnection } from './compose-connection.ts';
import { composeMetrics, type Measurements } from './compose-metrics.ts';
import { createNodeLibrary } from './compose-nodes.ts';
import { composeRunner } from './compose-runner.ts';
import { composeWakeUps } from './compose-wake-ups.ts';
import { ConnectionRecord } from './connection-record.ts';
import { durableJobs } from './durable-jobs.ts';
import { endedClaimRecords } from './ended-claim-records.ts';
import { EndedClaims } from './ended-claims.ts';
import { tellOfForeignJobs } from './foreign-jobs.ts';
import { loadIdentity, type RobotIdentity } from './identity.ts';
import { otherInstanceCode, RobotInstance } from './instance/robot-instance.ts';
import { currentPlace, type RobotPlace } from './instance/robot-place.ts';
import { IntakePause } from './intake-pause.ts';
import { JobDesk } from './job-desk.ts';
import { JobIntake } from './job-intake.ts';
import { composeLogs, type RobotLogs } from './logs/compose-logs.ts';
import type { JobLogs } from './logs/job-logs.ts';
import { loggedJobStore } from './logs/logged-job-store.ts';
import { messageOf } from './message-of.ts';
import { type OnePlace, type RobotTwinError, takePlace } from './one-place.ts';
import { type OutboxItem, OutboxSync } from './outbox-sync.ts';
import { presenceOf } from './presence.ts';
import { redactedLease } from './redacted-request.ts';
import { robotRedactor } from './robot-redactor.ts';
import { robotTelemetry } from './robot-telemetry.ts';
import { RobotTurn } from './robot-turn.ts';
import { StoreProbe } from './status/store-probe.ts';
import { auditIncidents, recentIncidents } from './store-incidents.ts';
import { storeLimitBytes } from './store-room.ts';
import { robotVersion } from './version.ts';
import { shapeOf } from './workflow-shape.ts';

/** What an embedding program may replace or add. */
export interface RobotOverrides {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Node types beside the built-in ones. Only this process has them, so with any of them jobs run in it. */
  readonly nodes?: readonly NodeType[];
  /** For drills of a slow disk: see `StoreOptions`. */
  readonly commitDelayMs?: Int32Array;
  /** Where the robot runs. Default: what the machine says. */
  readonly place?: RobotPlace;
}

export interface RobotEvents {
  /** The outbox may have something new. */
  readonly onOutbox: () => void;
  /** A job left the executor: there may be a free slot. */
  readonly onJobGone: () => void;
  readonly onConnected: () => void;
  /** Look for new jobs now. */
  readonly onJobs: () => void;
  /** The robot was paused or resumed, or stopped taking jobs for want of room, or takes them again. */
  readonly onPause: () => void;
  /** The robot works elsewhere, so this one must stop. */
  readonly onTwin: (error: RobotTwinError) => void;
  /** Something keeps going wrong, and may be told again and again; null: it is over. */
  readonly onProblem: (name: string, error: unknown) => void;
}

export interface RobotParts extends Measurements {
  readonly config: ValidSettings;
  readonly identity: RobotIdentity;
  readonly instance: RobotInstance;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logs: Pick<RobotLogs, 'problem'>;
  readonly connection: ConnectionManager;
  /** How many robots the server has heard of lately: what a return after an outage is spread by. */
  readonly fleet: { size: number };
  readonly wakeUps: WakeUps | null;
  readonly pacer: PollPacer;
  readonly gateway: JobGateway;
  readonly locker: JobLocker;
  readonly checker: CancellationChecker;
  readonly reporter: ProgressReporter | null;
  readonly executor: JobExecutor;
  readonly desk: JobDesk;
  readonly endedClaims: Pick<EndedClaims, 'held'>;
  readonly outboxSync: OutboxSync;
  /** Null when what jobs log is not sent. */
  readonly jobLogs: JobLogs | null;
  readonly intake: JobIntake;
  readonly turn: RobotTurn;
  readonly pause: IntakePause;
  readonly queue: OfflineQueue;
  /** What the store has lost lately, for operators. */
  readonly incidents: readonly JsonObject[];
  readonly probe: StoreProbe;
  readonly redactor: Redactor;
  readonly audit: AuditLogger | null;
  /** What was found when its log was looked at, and whether it can be written to. */
  readonly auditRecord: Pick<RobotAudit, 'problem' | 'tryToWrite'>;
  readonly auditAnchors: AuditAnchors | null;
  close(): Promise<void>;
}

/** @throws ConfigError; StoreOwnedError when another robot uses the same home */
export async function composeRobot(settings: RobotConfig, options: RobotOverrides & RobotEvents): Promise<RobotParts> {
  const config = validateConfig(settings);
  requireConnection(settings);
  const clock = options.clock ?? systemClock;
  const redactor = robotRedactor(config);
  const { home } = config.robot;
  const identity = await loadIdentity(home, config.robot.id);
  const logs = composeLogs(config, redactor, options.logger);
  const { logger } = logs;
  const library = await createNodeLibrary(config, { extra: options.nodes ?? [], redactor });
  const store: Store = await openStore({
    path: join(home, 'store.db'),
    robotId: identity.robotId,
    // A robot that was enrolled again goes on, and leaves alone what it has not begun itself: `foreign-jobs.ts`.
    adopt: true,
    synchronous: config.jobExecution.synchronous,
    maxBytes: storeLimitBytes(config),
    keys: openKeyFolder(join(home, 'keys')),
    ...(options.commitDelayMs === undefined ? {} : { commitDelayMs: options.commitDelayMs }),
    logger,
  });
  const opened: { record: RobotAudit | null; place: OnePlace | null } = { record: null, place: null };
  logs.homeIsOurs();
  try {
    opened.place = await takePlace(identity.robotId, home, logger);
    return await assemble(store);
  } catch (error) {
    opened.record?.close();
    await opened.place?.release();
    await store.close();
    await logs.close();
    throw error;
  }

  async function assemble(ownStore: Store): Promise<RobotParts> {
    const incidents = await recentIncidents(ownStore, clock.now());
    const measurements = composeMetrics({ config, clock, logger, onGate: options.onPause });
    const { metrics, activity, gate } = measurements;
    const onWritable = (problem: string | null): void => gate.hold('audit', problem);
    const record = composeAudit({ config, identity, redactor, logger, clock, onWritable });
    const { audit } = record;
    opened.record = record;
    auditIncidents(ownStore, audit);
    logs.watch((problem) => recordLogProblem(audit, config.observability.logDir, problem));
    const fleet = { size: 1 };
    const instance = await RobotInstance.load({
      home,
      robotId: identity.robotId,
      place: options.place ?? (await currentPlace(identity.bootId, home)),
      presenceMs: config.jobExecution.heartbeatIntervalMs,
      silentMs: config.jobExecution.lockTimeoutMs,
      logger,
    });
    const reached = new ConnectionRecord(audit);
    const connection = openConnection(settings, {
      headers: { 'x-casare-instance': instance.id },
      fleetSize: () => fleet.size,
      logger,
      onConnected: () => {
        reached.connected();
        options.onConnected();
      },
      onDisconnected: (error) => reached.disconnected(error),
    });
    // Whatever the robot asks may be asked again, and soon is; what hangs in a lost connection must not keep that back.
    const gateway = new JobGateway({
      rpc: (name, args, call) => connection.rpc(name, args, { ...call, whenLost: 'give-up' }),
    });
    // For what is made of the newest state each time: it must not wait for the connection while that gets old.
    const gatewayNow = new JobGateway({
      rpc: (name, args, call) => connection.rpc(name, args, { ...call, whenDisconnected: 'fail', whenLost: 'give-up' }),
    });
    const { jobExecution } = config;
    const bootClock = options.clock === undefined ? createBootClock() : () => clock.monotonic();
    const locker = new JobLocker({
      gateway,
      robotId: identity.robotId,
      lockTimeoutMs: jobExecution.lockTimeoutMs,
      recordedOf: (lease) => desk.recordedOf(lease),
      clock: { now: () => clock.now(), sleep: (ms, signal) => clock.sleep(ms, signal), monotonic: bootClock },
    });
    const checker = new CancellationChecker({
      leases: {
        heartbeatAll: async (call) => {
          const leases = await turn.heartbeatAll(call);
          return leases.map((lease) => redactedLease(lease, redactor));
        },
      },
      checkIntervalMs: Math.min(jobExecution.cancellationCheckIntervalMs, jobExecution.heartbeatIntervalMs),
      clock,
      onCheckFailed: (error) => options.onProblem('renewing leases', error),
    });
    const { wakeUps, pacer } = composeWakeUps({
      config,
      connection,
      robotId: identity.robotId,
      clock,
      logger,
      onJobs: options.onJobs,
      onHeld: () => void checker.checkNow(),
    });
    const reporter = jobExecution.progressReportingEnabled
      ? new ProgressReporter({
          gateway: gatewayNow,
          canReport: () => connection.isConnected && instance.isHeld,
          updateIntervalMs: jobExecution.progressIntervalMs,
          clock,
          onReportFailed: (error) => options.onProblem('reporting progress', error),
          onNews: () => void checker.checkNow(),
        })
      : null;
    const queue = new OfflineQueue({ store: ownStore, robotId: identity.robotId });
    const jobLogs = logs.jobLogs({ gateway: gatewayNow, clock });
    const jobStore = durableJobs({
      queue,
      checkpoints: new CheckpointManager(queue),
      bootId: bootClockEra(identity.bootId),
      bootClock,
      onForeign: tellOfForeignJobs(identity.robotId, home, logger),
    });
    const bundles = composeBundles({ config, identity, library, redactor, logger, clock });
    const desk = new JobDesk({
      store: jobLogs === null ? jobStore : loggedJobStore(jobStore, jobLogs),
      locker,
      checker,
      withoutServer: () => {
        if (!instance.mayActUnheard) return 'stay';
        const { isConnected, lastError } = connection.getStatus();
        return !isConnected && lastError !== null ? 'go' : 'wait';
      },
      inDoubtPolicy: jobExecution.inDoubtPolicy,
      reporter,
      telemetry: robotTelemetry({ metrics, audit, activity, redactor }),
      checkpoints: { enabled: jobExecution.checkpointEnabled, onEveryNode: jobExecution.checkpointOnEveryNode },
      logger,
      clock,
      onOutbox: options.onOutbox,
      withoutSecrets: (workflowJson, value) => library.withoutSecrets(workflowJson, value),
      shapeOf: (workflowJson) => shapeOf(workflowJson, library.registry),
      failureBundle: (job, outcome) => bundles.finish(job, outcome),
      claimUnderWay: () => intake.underWay,
    });
    if (instance.distrust !== null) desk.distrust(instance.distrust);
    const runner = composeRunner({
      config,
      identity,
      desk,
      library,
      hasOwnNodes: (options.nodes ?? []).length > 0,
      logger,
      clock,
    });
    await runner.prepare();
    const executor = new JobExecutor({
      runner,
      maxConcurrentJobs: jobExecution.maxConcurrentJobs,
      onJobStart: (job) => desk.onJobStart(job),
      onJobComplete: async (end) => {
        await desk.onJobComplete(end);
        options.onJobGone();
      },
      onError: (error) => logger.log('error', `ending a job met a problem: ${String(error)}`),
      clock,
    });
    desk.attach(executor);
    const leftServer = ({ jobId, leaseToken }: OutboxItem): void => {
      if (leaseToken !== null) desk.toldServer({ jobId, leaseToken });
      options.onJobGone();
    };
    const isPermanent = (error: unknown): boolean => {
      const { category, code } = classifyRunError(error);
      return category === 'permanent' && code !== otherInstanceCode;
    };
    const outboxSync = new OutboxSync({
      outbox: ownStore.outbox,
      gateway: gatewayNow,
      isPermanent,
      questionsOf: (lease) => desk.questionsOf(lease),
      isReady: () => instance.isHeld && desk.isServerHeard,
      onConflict: ({ jobId, leaseToken }) => {
        if (leaseToken !== null) desk.contradicted({ jobId, leaseToken });
      },
      onDelivered: async (item, outcome) => {
        const { kind, jobId, leaseToken } = item;
        if (outcome !== 'ok' && kind !== 'complete' && kind !== 'release') void checker.checkNow();
        if (kind === 'complete' && leaseToken !== null) await queue.markSynced(jobId, { leaseToken });
        if (kind === 'complete' || kind === 'release') leftServer(item);
      },
      onRefused: (item, error) => {
        logger.log('error', `the database refused what a job had to tell: ${messageOf(error)}; see \`outbox list\``, {
          job_id: item.jobId,
          kind: item.kind,
        });
        if (item.kind === 'complete' || item.kind === 'release') leftServer(item);
      },
    });
    const pause = await IntakePause.load({
      home,
      clock,
      logger,
      redactor,
      onChange: (change) => {
        recordPause(audit, change);
        options.onPause();
      },
    });
    const robot = (): RobotRegistration => ({
      robotId: identity.robotId,
      name: config.robot.name,
      capabilities: config.robot.capabilities,
      tags: config.robot.tags,
      maxConcurrentJobs: executor.getStatus().maxConcurrentJobs,
      version: robotVersion,
      bootId: identity.bootId,
    });
    const claimRequest = await loadClaimRequest(home);
    const endedClaims = new EndedClaims({
      records: endedClaimRecords(queue, jobStore),
      locker,
      gateway: gatewayNow,
      isPermanent,
      logger,
      clock,
      onToldAgain: (jobId, reason) => void audit?.jobSynced({ jobId, reason }),
      onFailed: (jobId, error) => void audit?.jobFailed({ jobId, error }),
    });
    const intake: JobIntake = new JobIntake({
      locker,
      desk,
      ended: endedClaims,
      isPaused: () => pause.current !== null || !record.canWrite,
      isHeld: () => gate.isClosed,
      claimRequest,
      robot,
      onHandedBack: (jobId, reason) => void audit?.jobReleased({ jobId, reason }),
      onRefused: (jobId, error) => void audit?.jobFailed({ jobId, error: { ...error } }),
      onFree: options.onJobs,
      onProblem: (error) => options.onProblem('storing claimed jobs', error),
      logger,
    });
    const turn: RobotTurn = new RobotTurn({
      connection,
      gateway,
      locker,
      checker,
      intake,
      instance: {
        get isHeld() {
          return instance.isHeld;
        },
        settle: (call) =>
          instance.settle(
            gateway,
            {
              onHeld: options.onOutbox,
              onTakenAfterSilence: async (why) => {
                const distrust = { why, upToToken: (await queue.greatestLeaseToken()) ?? '0' };
                desk.distrust(distrust);
                // What was claimed under it may be under way, too.
                await claimRequest.rotate();
                return distrust;
              },
              onTwin: options.onTwin,
            },
            call,
          ),
        askAgain: () => instance.askAgain(),
        doubt: () => instance.doubt(),
      },
      robot,
      presence: () => presenceOf({ metrics, pause, executor, intake, incidents, gate }),
      presenceIntervalMs: jobExecution.heartbeatIntervalMs,
      clock,
      onRegistered: () => {
        wakeUps?.start();
        wakeUps?.tryNow();
      },
      onFleetSize: (size) => {
        fleet.size = size;
      },
    });
    return {
      config,
      identity,
      instance,
      clock,
      logger,
      logs,
      connection,
      fleet,
      wakeUps,
      pacer,
      gateway,
      locker,
      checker,
      reporter,
      executor,
      desk,
      endedClaims,
      outboxSync,
      jobLogs,
      intake,
      turn,
      pause,
      queue,
      incidents,
      ...measurements,
      redactor,
      probe: new StoreProbe({ home, queue, clock }),
      audit,
      auditRecord: record,
      auditAnchors: record.anchorsOn(connection),
      async close() {
        pause.close();
        await runner.close();
        await opened.place?.release();
        await ownStore.close();
        record.close();
        await logs.close();
      },
    };
  }
}
