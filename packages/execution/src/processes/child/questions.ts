/** Asks the supervisor and waits for its answers. */
import type { JournalEntry } from '../../engine/journal.ts';
import type { Answer, Question } from '../messages.ts';

type AnswerValue = Extract<Answer, { readonly type: 'answer' }>['value'];

interface Waiting {
  readonly parts: JournalEntry[];
  readonly resolve: (value: AnswerValue) => void;
  readonly reject: (error: Error) => void;
}

export class Questions {
  readonly #send: (question: Question) => void;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;

  /** @param send throws when the question cannot be sent */
  constructor(send: (question: Question) => void) {
    this.#send = send;
  }

  async load(): Promise<readonly JournalEntry[]> {
    const value = await this.#ask((id) => ({ type: 'load', id }));
    return Array.isArray(value) ? value : [];
  }

  async workDir(): Promise<string> {
    return String(await this.#ask((id) => ({ type: 'work_dir', id })));
  }

  /**
   * @returns by when what it begins must have begun, in ms since the machine booted; null: no matter when
   * @throws FrameTooLargeError; Error with the store's refusal
   */
  async commit(entries: readonly JournalEntry[]): Promise<number | null> {
    const value = await this.#ask((id) => ({ type: 'commit', id, entries }));
    return typeof value === 'number' ? value : null;
  }

  take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    if (answer.type === 'part') {
      for (const entry of answer.value) waiting.parts.push(entry);
      return;
    }
    this.#waiting.delete(answer.id);
    if (answer.type === 'refusal') waiting.reject(new Error(answer.message));
    else waiting.resolve(waiting.parts.length > 0 ? waiting.parts : answer.value);
  }

  #ask(questionOf: (id: number) => Question): Promise<AnswerValue> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { parts: [], resolve, reject });
      try {
        this.#send(questionOf(id));
      } catch (error) {
        this.#waiting.delete(id);
        reject(error);
      }
    });
  }
}
