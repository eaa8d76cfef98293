/** Who we say we are, to clients, servers and collectors. A test holds the version against package.json. */
export const product = { name: 'sekisho', title: 'Sekisho', version: '0.1.0' } as const;
