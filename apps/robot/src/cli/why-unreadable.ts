/** Why a file that somebody named cannot be read, in words. @param otherwise what an error of another kind is called */
export function whyUnreadable(error: unknown, otherwise: string): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  return code === 'EISDIR' ? 'it is a folder' : otherwise;
}
