// A form of the AWS Query protocol as a tree: `Tags.member.1.Key=a` is a path of four names. Types come later, by fields.ts.
import { QueryError } from './errors.ts';

/** What stands under one name. */
export interface FormNode {
  readonly value: string | undefined;
  readonly children: ReadonlyMap<string, FormNode>;
}

interface GrowingNode extends FormNode {
  value: string | undefined;
  readonly children: Map<string, GrowingNode>;
}

/** No input of the services served here is nested deeper. */
const MAX_DEPTH = 8;

/** Throws MalformedQueryString for names nested deeper than any input is. */
export function parseForm(text: string): FormNode {
  const root = createNode();
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.split('.', MAX_DEPTH + 1);
    if (path.length > MAX_DEPTH)
      throw new QueryError('MalformedQueryString', 400, `The parameter ${name} is nested too deep`);
    let node = root;
    for (const part of path) node = childOf(node, part);
    node.value = value;
  }
  return root;
}

function createNode(): GrowingNode {
  return { value: undefined, children: new Map() };
}

function childOf(node: GrowingNode, name: string): GrowingNode {
  const child = node.children.get(name) ?? createNode();
  node.children.set(name, child);
  return child;
}
