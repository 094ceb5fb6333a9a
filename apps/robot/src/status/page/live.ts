/** The stream of the robot's state. The browser comes back by itself when it breaks; a refused one is tried again. */
import type { Details, Status } from './shapes.ts';

export interface LiveListener {
  onStatus(status: Status): void;
  onDetails(details: Details): void;
  /** Whether the robot can be heard. */
  onLink(isOpen: boolean): void;
}

const retryMs = 5_000;

export function listen(listener: LiveListener): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = (): void => {
    source = new EventSource('/events');
    source.addEventListener('open', () => listener.onLink(true));
    source.addEventListener('status', (event) => listener.onStatus(JSON.parse(event.data)));
    source.addEventListener('details', (event) => listener.onDetails(JSON.parse(event.data)));
    source.addEventListener('error', () => {
      listener.onLink(false);
      if (source.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, retryMs);
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
