// Tags of functions and of the other resources that have an ARN.
import { ServiceError } from '../service-error.ts';
import { taggedResource } from '../tags/tagged-resource.ts';
import { withoutTags, withTags } from '../tags/tags.ts';
import { operation } from './operation.ts';

export const ListTags = operation('ListTags', async (input, context) => ({
  Tags: taggedResource(context, input.Resource).tags,
}));

export const TagResource = operation('TagResource', async (input, context) => {
  const { Tags: added } = input;
  if (Object.keys(added).length === 0)
    throw new ServiceError(
      'InvalidParameterValueException',
      'An error occurred and the request cannot be processed.',
    );
  await taggedResource(context, input.Resource).change((tags) => withTags(tags, added));
});

export const UntagResource = operation('UntagResource', async (input, context) => {
  const { TagKeys: keys } = input;
  await taggedResource(context, input.Resource).change((tags) => withoutTags(tags, keys));
});
