// Values as the XML of the AWS Query protocol: members are elements, lists hold elements named `member`.

export type XmlValue =
  | string
  | number
  | boolean
  | Date
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue | undefined };

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
};

const NOT_XML = /[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** One document. Members that are undefined are left out. */
export function xmlDocument(root: string, namespace: string, content: XmlValue): string {
  return `<${root} xmlns="${namespace}">${contentOf(content)}</${root}>`;
}

function contentOf(value: XmlValue): string {
  if (value instanceof Date) return value.toISOString().replace(/\.\d{3}Z$/, 'Z');
  if (isList(value)) return value.map((each) => element('member', each)).join('');
  if (typeof value !== 'object') return escaped(String(value));
  let text = '';
  for (const [name, member] of Object.entries(value))
    if (member !== undefined) text += element(name, member);
  return text;
}

function element(name: string, value: XmlValue): string {
  return `<${name}>${contentOf(value)}</${name}>`;
}

/** Array.isArray does not narrow readonly arrays. */
function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value);
}

/** What XML cannot hold in any form becomes the character that stands for such: it can only come from a caller's own mistake. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(NOT_XML, '\uFFFD')
    .replace(/[&<>"\r]/g, (character) => ESCAPES[character] ?? character);
}
