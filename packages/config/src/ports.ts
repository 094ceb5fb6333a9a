/** What this package needs from outside. */

/** Environment variables by name, as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The machine and account that defaults depend on. */
export interface Host {
  /** Computer name; part of the default robot name. */
  readonly hostname: string;
  /** Home folder of the account, absolute; what a leading `~` means. */
  readonly homedir: string;
}
