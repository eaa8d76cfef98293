/** The gateway cannot start with what it was given. The message says what, where, and how to fix it: exit code 3. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}
