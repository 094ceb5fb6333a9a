/** Where the commands write: results to stdout, everything else to stderr. */
export interface Terminal {
  /** One line of a command's result. */
  print(line: string): void;
  /** One line for the person who watches. */
  note(line: string): void;
  /** Replaces the current status line on a terminal; does nothing elsewhere. */
  status(line: string): void;
  readonly isInteractive: boolean;
}

export function processTerminal(): Terminal {
  const isInteractive = process.stderr.isTTY === true;
  let statusShown = false;
  const clear = (): void => {
    if (statusShown) process.stderr.write('\r\u001b[2K');
    statusShown = false;
  };
  return {
    isInteractive,
    print: (line) => {
      clear();
      process.stdout.write(`${line}\n`);
    },
    note: (line) => {
      clear();
      process.stderr.write(`${line}\n`);
    },
    status: (line) => {
      if (!isInteractive) return;
      const width = process.stderr.columns ?? 80;
      process.stderr.write(`\r\u001b[2K${line.slice(0, width - 1)}`);
      statusShown = line.length > 0;
    },
  };
}
