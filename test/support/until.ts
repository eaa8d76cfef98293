/** Waits until `seen` is true, at most `ms`: for what happens on the other side of a socket. */
export async function until(seen: () => boolean, ms = 5_000): Promise<void> {
  const end = Date.now() + ms;
  while (!seen()) {
    if (Date.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
