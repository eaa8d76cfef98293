/** Letters of other scripts that look like a Latin one. Not all of Unicode's list: those that fonts draw alike. */
const lookAlikes: Readonly<Record<string, string>> = Object.fromEntries(
  (
    'аa еe оo рp сc хx уy іi јj ѕs һh ԁd ԛq ԝw ɡg ӏl кk вb мm тt нh ьb гr зe ' +
    'αa οo ρp νv υu ιi κk τt ϲc ϳj εe χx ηn ωw γy σo βb ' +
    'օo ոn սu հh ցg եe ԍg ⲟo ⲣp ⲥc ꓮa ꓓd ꓖg ꓲi ꓚc ꓳo ꓑp ꓢs ꓣr ꓔt Ꭺa Ꮯc Ꭼe Ꮋh Ꮶk Ꮇm Ꮲp Ꭲt Ꮪs'
  )
    .split(' ')
    .map((pair) => [...pair] as [string, string]),
);

/** None of them stands before that. */
const foreign = /[\u0250-\uffff]/g;

/** As Latin letters, where a letter of another script was drawn in their place. The text is folded and lower case. */
export function latin(text: string): string {
  return text.replace(foreign, (letter) => lookAlikes[letter] ?? lookAlikes[letter.toUpperCase()] ?? letter);
}

export const looksLatin = (letter: string): boolean =>
  letter in lookAlikes || letter.toUpperCase() in lookAlikes || letter.toLowerCase() in lookAlikes;

/** What a name looks like at a glance: names with one skeleton are taken for each other. */
export function skeleton(name: string): string {
  return latin(name.normalize('NFKC').toLowerCase())
    .replaceAll(/[1i|!]/g, 'l')
    .replaceAll('0', 'o')
    .replaceAll('5', 's')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replaceAll('cl', 'd');
}
