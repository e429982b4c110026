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

/**
 * The resource of a Resource member that has passed its pattern. Throws ResourceNotFoundException, and
 * InvalidParameterValueException for versions and aliases, which have no tags of their own.
 */
export function taggedResource(context: OperationContext, arn: string): TaggedResource {
  const [, , , , , kind, id = '', qualifier] = arn.split(':');
  if (qualifier !== undefined)
    throw new ServiceError(
      'InvalidParameterValueException',
      'Tags on function aliases and versions are not supported. Please specify a function ARN.',
    );
  switch (kind) {
    case 'function':
      return taggedFunction(context, arn, id);
    case 'code-signing-config':
      return taggedRecord(context.codeSigning.all, context, arn);
    case 'capacity-provider':
      return taggedRecord(context.capacityProviders, context, arn);
    case 'event-source-mapping':
      throw notFound(`Event source mapping not found: ${arn}`);
    case 'network-connector':
      throw notFound(`Network connector not found: ${arn}`);
    default:
      throw new Error(`${arn} names nothing that has tags`);
  }
}

/** Of the caller's scope only: an ARN of another region names nothing here. */
function taggedFunction(context: OperationContext, arn: string, name: string): TaggedResource {
  const { functions, account, region } = context;
  const missing = () => notFound(`Function not found: ${arn}`);
  const record = functions.get(account, region, name);
  if (record === undefined || functionArn(record, name) !== arn) throw missing();
  return {
    tags: record.tags,
    change: (apply) =>
      functions.change(account, region, name, (current) => {
        if (current === undefined) throw missing();
        const tags = apply(current.root.tags);
        return { change: { root: { ...current.root, tags } }, result: undefined };
      }),
  };
}

/** Of resources whose tags are a member of their record. */
function taggedRecord<Root extends ResourceScope & { readonly tags: Tags }>(
  resources: ScopedResources<Root>,
  context: OperationContext,
  arn: string,
): TaggedResource {
  return {
    tags: resources.require(context, arn).tags,
    change: async (apply) => {
      await resources.change(context, arn, (current) => ({
        ...current,
        tags: apply(current.tags),
      }));
    },
  };
}

function notFound(message: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', message);
}
