/**
 * One start of a robot, as the server knows it. A robot works in one place: a home that was copied has the same id and the
 * same leases, so the server takes one instance at a time and refuses the requests of any other (I1).
 *
 * `asking -> held -> asking ...`, or `refused`: another instance works. It is asked again when that one's place will be free
 * soon, as after a reboot; else, or once that one is heard of meanwhile, the robot stops. See `docs/adr/0033-a-robot-works-in-one-place.md`.
 */
import { randomUUID } from 'node:crypto';
import type { GatewayCallOptions, InstanceAnswer, JobGateway, Logger } from '@casare/execution';
import { RobotTwinError } from '../one-place.ts';
import { type Distrust, type InstanceNotes, readInstanceNotes, writeInstanceNotes } from './instance-file.ts';
import type { RobotPlace } from './robot-place.ts';

export interface RobotInstanceOptions {
  readonly home: string;
  readonly robotId: string;
  readonly place: RobotPlace;
  /** How often the server hears of this robot at least, in ms. */
  readonly presenceMs: number;
  /** After how long a silence another instance may take its place, in ms. */
  readonly silentMs: number;
  readonly logger: Logger;
}

export interface InstanceListener {
  /** It is the robot's instance now. */
  onHeld(): void;
  /**
   * The former instance was silent for long, and may yet work somewhere, cut off from the server.
   *
   * @returns what is not to go on from here; it is remembered for the next starts
   */
  onTakenAfterSilence(why: string): Promise<Distrust>;
  /** Another instance works: this robot must stop. */
  onTwin(error: RobotTwinError): void;
}

/** The database's answer to an instance that is not the robot's. */
export const otherInstanceCode = 'PT409';
/** The first version of the database that knows of instances. */
const sinceSchemaVersion = 15;
/** A place that will be free after so many ms is waited for. */
const maxWaitMs = 60_000;

export class RobotInstance {
  readonly id: string = randomUUID();
  readonly #options: RobotInstanceOptions;
  #notes: InstanceNotes;
  #state: 'asking' | 'held' | 'refused' = 'asking';
  #isDue = true;
  /** How long the one that works had been silent when this one was refused last, in ms. */
  #silentThen = 0;
  #settling: Promise<void> | null = null;

  private constructor(options: RobotInstanceOptions, notes: InstanceNotes) {
    this.#options = options;
    this.#notes = notes;
  }

  static async load(options: RobotInstanceOptions): Promise<RobotInstance> {
    return new RobotInstance(options, await readInstanceNotes(options.home));
  }

  /** Whether this is the robot's instance, as far as the server was heard. */
  get isHeld(): boolean {
    return this.#state === 'held';
  }

  /** Whether jobs of an earlier process may go on without the server's word: the home is where it was, so the former has ended. */
  get mayActUnheard(): boolean {
    const { machine } = this.#notes;
    return this.#state !== 'refused' && (machine === null || machine === this.#options.place.machine);
  }

  /** What an earlier start, or this one, has taken over from a silent instance; null: nothing. */
  get distrust(): Distrust | null {
    return this.#notes.distrust;
  }

  /** After a connect: the server may be another one. What is held is held until it says otherwise. */
  askAgain(): void {
    this.#isDue = true;
  }

  /** The server has refused a request because of another instance. */
  doubt(): void {
    this.#state = 'asking';
    this.#isDue = true;
  }

  /**
   * Makes this the robot's instance, where that is not known. Nothing else may be asked before.
   *
   * @throws RobotTwinError while another one is; what the gateway throws
   */
  settle(gateway: InstanceGateway, listener: InstanceListener, options: GatewayCallOptions = {}): Promise<void> {
    if (this.isHeld && !this.#isDue) return Promise.resolve();
    this.#settling ??= this.#ask(gateway, listener, options).finally(() => {
      this.#settling = null;
    });
    return this.#settling;
  }

  /** Makes way: whoever starts next, and wherever, goes on with the robot's jobs. Nothing of it may run any more. */
  async leave(gateway: InstanceGateway, options: GatewayCallOptions = {}): Promise<void> {
    if (!this.isHeld || this.#notes.accepted !== this.id) return;
    await gateway.leaveInstance(this.#options.robotId, this.id, options);
  }

  async #ask(gateway: InstanceGateway, listener: InstanceListener, options: GatewayCallOptions): Promise<void> {
    const version = gateway.schemaVersion(options);
    // Both are asked at once: whatever waits to be told after an outage waits for this.
    const taken = this.#take(gateway, options);
    taken.catch(() => undefined);
    if ((await version) < sinceSchemaVersion) return this.#hold(listener);
    const answer = await taken;
    if (!answer.isTaken) return this.#refused(answer, listener);
    if (answer.after === 'silence') {
      const why = `the robot was at ${answer.host} before, from where nothing was heard for long: it may still work there, cut off from the server, and this home is a copy, or was put back`;
      this.#options.logger.log('critical', `${why}; jobs that were under way wait for an answer (\`job resolve\`)`);
      await this.#note({ ...this.#notes, distrust: await listener.onTakenAfterSilence(why) });
    }
    this.#hold(listener);
    // If this is lost, what was noted before the server was asked says enough.
    await this.#note({ ...this.#notes, accepted: this.id, tried: [], machine: this.#options.place.machine });
  }

  #hold(listener: InstanceListener): void {
    const wasHeld = this.isHeld;
    this.#state = 'held';
    this.#isDue = false;
    if (!wasHeld) listener.onHeld();
  }

  async #take(gateway: InstanceGateway, options: GatewayCallOptions): Promise<InstanceAnswer> {
    const { home, robotId, place, presenceMs, silentMs } = this.#options;
    const { accepted, tried } = this.#notes;
    if (accepted !== this.id && !tried.includes(this.id)) {
      await this.#note({ ...this.#notes, tried: [...tried, this.id] });
    }
    return gateway.takeInstance(
      {
        robotId,
        instance: this.id,
        previous: [...(accepted === null ? [] : [accepted]), ...tried],
        machine: place.machine,
        boot: place.boot,
        host: `${place.host}, ${home}`.slice(0, 1_000),
        upMs: place.upMs(),
        presenceMs,
        silentMs,
      },
      options,
    );
  }

  async #refused(answer: Extract<InstanceAnswer, { isTaken: false }>, listener: InstanceListener): Promise<never> {
    const { home, robotId, place } = this.#options;
    const { host, silentMs, waitMs } = answer;
    const isFirst = this.#state !== 'refused';
    const isHeardSince = !isFirst && silentMs < this.#silentThen;
    this.#state = 'refused';
    this.#silentThen = silentMs;
    // It is not the robot's, and this start will go on asking under the same id.
    await this.#note({ ...this.#notes, tried: this.#notes.tried.filter((id) => id !== this.id) });
    const heard = `last heard of ${seconds(silentMs)} ago`;
    const error = new RobotTwinError(
      `robot ${robotId} works elsewhere: at ${host}, ${heard}. This home, ${home} on ${place.host}, is a copy of it, or was put back, and both would do the same jobs. To make it a robot of its own, delete robot.json, instance.json, claim-request.json and the store.db files in it. If the other one is gone for good: \`casare-robot moved\`, and start this one again; without that its place is free after ${seconds(waitMs)} more of silence, and its jobs are asked about`,
    );
    if (waitMs > maxWaitMs || isHeardSince) listener.onTwin(error);
    else if (isFirst) {
      const place = `the robot was at ${host} before, ${heard}`;
      this.#options.logger.log('warning', `${place}: waiting for ${seconds(waitMs)} more of silence from there`);
    }
    throw error;
  }

  async #note(notes: InstanceNotes): Promise<void> {
    await writeInstanceNotes(this.#options.home, notes);
    this.#notes = notes;
  }
}

export type InstanceGateway = Pick<JobGateway, 'schemaVersion' | 'takeInstance' | 'leaveInstance'>;

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1_000))} s`;
}
