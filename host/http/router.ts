// From method and raw URL to an operation of the contract. Knows no bodies, headers or handlers.
//
// How it works: all path templates are one tree, a node per segment. A node has children by literal text and at most one child
// for any text (a label). Walking a request's path takes one map look-up per segment and no copying but for labels. At the last
// node the method gives the candidates, those with a fixed query first. Since no node has both kinds of children (checked while
// compiling), a walk never goes back: what lands on a label stays there, an empty text too, and fails as that label's value.
import { contract } from '../api/model/contract.ts';
import type { OperationName } from '../api/model/types.ts';

/** Query values by decoded key, in the order they were sent. */
export type Query = ReadonlyMap<string, readonly string[]>;

export interface RouteMatch {
  readonly operation: OperationName;
  /** Path labels by name, percent-decoded once. */
  readonly labels: Readonly<Record<string, string>>;
  readonly query: Query;
}

export interface Router {
  /** The operation that a request line means, by the raw path as received; undefined when there is none. Never throws. */
  match(method: string, rawUrl: string): RouteMatch | undefined;
}

interface Route {
  readonly operation: OperationName;
  readonly labelNames: readonly string[];
  readonly fixedQuery: readonly (readonly [key: string, value: string])[];
}

interface Node {
  readonly literals: Map<string, Node>;
  label: Node | undefined;
  readonly routes: Map<string, Route[]>;
}

const noQuery: Query = new Map();

/** Compiles the routes of the whole contract. */
export function createRouter(): Router {
  const root = createNode();
  for (const { name, method, path, altPaths, fixedQuery } of contract.values()) {
    for (const template of new Set([path, ...altPaths].map(withoutTrailingSlash))) {
      addRoute(root, method, template, name, Object.entries(fixedQuery ?? {}));
    }
  }
  refuseAmbiguity(root, '');
  return { match: (method, rawUrl) => match(root, method, rawUrl) };
}

function createNode(): Node {
  return { literals: new Map(), label: undefined, routes: new Map() };
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

function addRoute(
  root: Node,
  method: string,
  template: string,
  operation: OperationName,
  fixedQuery: Route['fixedQuery'],
): void {
  let node = root;
  const labelNames: string[] = [];
  for (const segment of template.split('/').slice(1)) {
    if (segment.startsWith('{')) {
      labelNames.push(segment.slice(1, -1));
      node = node.label ??= createNode();
    } else {
      node = childOf(node, segment);
    }
  }
  const routes = node.routes.get(method) ?? [];
  routes.push({ operation, labelNames, fixedQuery });
  node.routes.set(
    method,
    routes.sort((a, b) => b.fixedQuery.length - a.fixedQuery.length),
  );
}

function childOf(node: Node, literal: string): Node {
  const child = node.literals.get(literal) ?? createNode();
  node.literals.set(literal, child);
  return child;
}

function refuseAmbiguity(node: Node, path: string): void {
  if (node.label !== undefined && node.literals.size > 0) {
    throw new Error(`the segment after ${path} is a label of one route and a literal of another`);
  }
  if (node.label !== undefined) refuseAmbiguity(node.label, `${path}/{}`);
  for (const [literal, child] of node.literals) refuseAmbiguity(child, `${path}/${literal}`);
}

function match(root: Node, method: string, rawUrl: string): RouteMatch | undefined {
  if (!rawUrl.startsWith('/')) return undefined;
  const mark = rawUrl.indexOf('?');
  const end = mark === -1 ? rawUrl.length : mark;
  const values: string[] = [];
  let node: Node | undefined = root;
  // a slash at the very end opens no further segment, which makes it optional on every route
  for (let start = 1; start < end; ) {
    const slash = rawUrl.indexOf('/', start);
    const stop = slash === -1 || slash > end ? end : slash;
    const segment = rawUrl.slice(start, stop);
    if (node.label === undefined) {
      node = node.literals.get(segment);
      if (node === undefined) return undefined;
    } else {
      values.push(decodePart(segment));
      node = node.label;
    }
    start = stop + 1;
  }
  const routes = node.routes.get(method);
  if (routes === undefined) return undefined;
  const query = mark === -1 ? noQuery : parseQuery(rawUrl.slice(mark + 1));
  const route = routes.find(({ fixedQuery }) => holds(query, fixedQuery));
  if (route === undefined) return undefined;
  return { operation: route.operation, labels: labelsOf(route, values), query };
}

function holds(query: Query, fixedQuery: Route['fixedQuery']): boolean {
  return fixedQuery.every(([key, value]) => query.get(key)?.includes(value));
}

function labelsOf({ labelNames }: Route, values: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  labelNames.forEach((name, index) => {
    labels[name] = values[index] ?? '';
  });
  return labels;
}

/** Keys may repeat. A plus sign is itself: clients of the service encode spaces as `%20`, and timestamps hold plus signs. */
function parseQuery(text: string): Query {
  const query = new Map<string, string[]>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const key = decodePart(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decodePart(pair.slice(equals + 1));
    const values = query.get(key);
    if (values === undefined) query.set(key, [value]);
    else values.push(value);
  }
  return query;
}

/** What cannot be decoded stays as it was sent: its percent sign then fails the member's pattern, or names nothing. */
function decodePart(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
