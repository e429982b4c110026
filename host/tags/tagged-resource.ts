// What can carry tags: the resource that an ARN names, with its tags to be read and changed.
import type { OperationContext } from '../api/context.ts';
import { functionArn } from '../functions/names.ts';
import { ServiceError } from '../service-error.ts';
import type { ResourceScope, ScopedResources } from '../store/scoped-resources.ts';
import type { Tags } from './tags.ts';

export interface TaggedResource {
  readonly tags: Tags;
  /** Resolves when the tags that `apply` makes of the present ones are on disk; what it throws changes nothing. */
  change(apply: (current: Tags) => Tags): Promise<void>;
}

/** Kinds as ARNs spell them, with what is said when there is no such resource. */
const NOT_FOUND = {
  function: (arn) => `Function not found: ${arn}`,
  'code-signing-config': (arn) => `The Lambda code signing configuration ${arn} can not be found.`,
  'event-source-mapping': (arn) => `Event source mapping not found: ${arn}`,
  'capacity-provider': (arn) => `Capacity provider not found: ${arn}`,
  'network-connector': (arn) => `Network connector not found: ${arn}`,
} as const satisfies Record<string, (arn: string) => string>;

type Kind = keyof typeof NOT_FOUND;

interface TaggableArn {
  readonly arn: string;
  readonly kind: Kind;
  /** Name or id, the last part of the ARN. */
  readonly id: string;
}

/**
 * The resource of a Resource member that has passed its pattern. Throws ResourceNotFoundException, and
 * InvalidParameterValueException for versions and aliases, which have no tags of their own.
 */
export function taggedResource(context: OperationContext, arn: string): TaggedResource {
  const named = parse(arn);
  const resource = find(context, named);
  if (resource === undefined) throw notFound(named);
  return resource;
}

function parse(arn: string): TaggableArn {
  const [, , , , , kind = '', id = '', qualifier] = arn.split(':');
  if (!Object.hasOwn(NOT_FOUND, kind)) throw new Error(`${arn} names nothing that has tags`);
  if (qualifier !== undefined)
    throw new ServiceError(
      'InvalidParameterValueException',
      'Tags on function aliases and versions are not supported. Please specify a function ARN.',
    );
  return { arn, kind: kind as Kind, id }; // as: a key of the table by the check above
}

function find(context: OperationContext, named: TaggableArn): TaggedResource | undefined {
  switch (named.kind) {
    case 'function':
      return findFunction(context, named);
    case 'code-signing-config':
      return findScoped(context.codeSigning.all, context, named);
    case 'capacity-provider':
      return findScoped(context.capacityProviders, context, named);
    case 'event-source-mapping':
    case 'network-connector':
      return undefined;
    default:
      throw new Error(`unknown kind ${JSON.stringify(named.kind satisfies never)}`);
  }
}

/** Of the caller's scope only: an ARN of another region names nothing here. */
function findFunction(context: OperationContext, named: TaggableArn): TaggedResource | undefined {
  const { functions, account, region } = context;
  const { arn, id } = named;
  const record = functions.get(account, region, id);
  if (record === undefined || functionArn(record, id) !== arn) return undefined;
  return {
    tags: record.tags,
    change: (apply) =>
      functions.change(account, region, id, (current) => {
        if (current === undefined) throw notFound(named);
        const tags = apply(current.root.tags);
        return { change: { root: { ...current.root, tags } }, result: undefined };
      }),
  };
}

/** Of resources whose tags are a member of their record. */
function findScoped<Root extends ResourceScope & { readonly tags: Tags }>(
  resources: ScopedResources<Root>,
  context: OperationContext,
  { arn }: TaggableArn,
): TaggedResource | undefined {
  const record = resources.find(context, arn);
  if (record === undefined) return undefined;
  return {
    tags: record.tags,
    change: async (apply) => {
      await resources.change(context, arn, (current) => ({
        ...current,
        tags: apply(current.tags),
      }));
    },
  };
}

function notFound({ kind, arn }: TaggableArn): ServiceError {
  return new ServiceError('ResourceNotFoundException', NOT_FOUND[kind](arn));
}
