/** A job with its progress, and the button that cancels it. */
import { type ComponentChild, type ComponentChildren, h, type RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ActionRequest } from './actions.ts';
import { shortId } from './format.ts';
import type { JobNow } from './shapes.ts';

export interface CardProps {
  readonly job: Pick<JobNow, 'job_id' | 'name' | 'percent'>;
  readonly onAsk: (request: ActionRequest) => void;
  readonly children?: ComponentChildren;
}

/** For what may go away with the focus in it, as a job that ends: the focus goes to the title then. */
export function useKeptFocus<Place extends HTMLElement>(): RefObject<Place | null> {
  const place = useRef<Place>(null);
  useLayoutEffect(
    () => () => {
      if (place.current?.contains(document.activeElement) === true) document.getElementById('jobs-title')?.focus();
    },
    [],
  );
  return place;
}

export function Card({ job, onAsk, children }: CardProps): ComponentChild {
  const { job_id: jobId, name, percent } = job;
  const card = useKeptFocus<HTMLLIElement>();
  const cancel = (): void =>
    onAsk({
      action: 'cancel',
      args: { job_id: jobId },
      question: ['Cancel the job “', h('bdi', null, name), `” (${shortId(jobId)})?`],
      confirm: 'Cancel the job',
      text: { name: 'reason', label: 'Reason (shown with the job)', maxLength: 500 },
    });
  return h(
    'li',
    { ref: card, class: 'card' },
    h(
      'div',
      { class: 'row' },
      h('h3', { dir: 'auto' }, name),
      h('button', { type: 'button', 'aria-label': `Cancel job ${name}`, onClick: cancel }, 'Cancel'),
    ),
    h('progress', {
      max: 100,
      ...(percent === null ? {} : { value: percent }),
      'aria-label': `Progress of ${name}`,
    }),
    children,
  );
}
