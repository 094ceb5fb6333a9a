/** Asks for an action, with confirmation and the token, which is kept until the tab is closed. */
import { type ComponentChild, h } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface ActionRequest {
  readonly action: 'cancel' | 'pause' | 'resume' | 'answer';
  readonly args: Readonly<Record<string, string | number | null>>;
  /** What is about to happen, as a question. */
  readonly question: ComponentChild;
  /** What it means, where the question does not say it. */
  readonly meaning?: ComponentChild;
  readonly confirm: string;
  /** What may be told along with it: the name of the argument, and what it is called. */
  readonly text?: { readonly name: string; readonly label: string; readonly maxLength: number };
}

const tokenKey = 'casare-status-token';

export interface ActionDialogProps {
  readonly request: ActionRequest;
  /** Called with what has been done; null when nothing was. */
  readonly onClose: (done: string | null) => void;
}

export function ActionDialog({ request, onClose }: ActionDialogProps): ComponentChild {
  const dialog = useRef<HTMLDialogElement>(null);
  const done = useRef<string | null>(null);
  const [token, setToken] = useState(() => sessionStorage.getItem(tokenKey) ?? '');
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  // Before the browser paints: what is pressed right after the click that asked is meant for the question.
  useLayoutEffect(() => dialog.current?.showModal(), []);
  // Closed, not only taken away: so the browser puts the focus back to the button that asked.
  const close = (): void => dialog.current?.close();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    const more = request.text === undefined || text.trim() === '' ? {} : { [request.text.name]: text.trim() };
    const failure = await perform(request.action, { ...request.args, ...more }, token.trim());
    setBusy(false);
    if (failure === null) {
      sessionStorage.setItem(tokenKey, token.trim());
      done.current = request.confirm;
      close();
    } else setProblem(failure);
  };
  return h(
    'dialog',
    {
      ref: dialog,
      'aria-labelledby': 'action-question',
      ...(request.meaning === undefined ? {} : { 'aria-describedby': 'action-meaning' }),
      onClose: () => onClose(done.current),
    },
    h(
      'form',
      { onSubmit: (event: Event) => void submit(event) },
      h('h2', { id: 'action-question' }, request.question),
      request.meaning === undefined ? null : h('p', { id: 'action-meaning' }, request.meaning),
      request.text === undefined
        ? null
        : field(request.text.label, {
            value: text,
            maxLength: request.text.maxLength,
            onInput: (event: Event) => setText((event.currentTarget as HTMLInputElement).value),
          }),
      field('Token (in status-token of the robot’s home)', {
        type: 'password',
        value: token,
        required: true,
        autocomplete: 'off',
        onInput: (event: Event) => setToken((event.currentTarget as HTMLInputElement).value),
      }),
      h('p', { role: 'alert', class: 'problem' }, problem),
      h(
        'div',
        { class: 'buttons' },
        h('button', { type: 'submit', class: 'danger', disabled: isBusy }, request.confirm),
        h('button', { type: 'button', onClick: close }, 'Keep as it is'),
      ),
    ),
  );
}

function field(label: string, attributes: Readonly<Record<string, unknown>>): ComponentChild {
  return h('label', null, h('span', null, label), h('input', { type: 'text', ...attributes }));
}

/** Resolves with what went wrong; null when it is done. */
async function perform(action: string, args: object, token: string): Promise<string | null> {
  try {
    const answer = await fetch(`/actions/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(args),
    });
    if (answer.ok) return null;
    const { error } = (await answer.json()) as { error: { message: string } };
    return error.message;
  } catch {
    return 'The robot does not answer: what came of it shows when it does. On its machine, casare-robot status tells whether it runs.';
  }
}
