import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decoderOf,
  flag,
  integer,
  list,
  required,
  structure,
  text,
} from '../../host/query/fields.ts';
import { parseForm } from '../../host/query/form.ts';

const decode = decoderOf({
  Name: required(text({ min: 2, pattern: '[a-z]+' })),
  Count: integer(1, 9),
  Flag: flag(),
  Names: list(text({}), 2),
  Pairs: list(structure({ Key: required(text({})), Value: text({}) }), 20),
});

const of = (form: string) => decode(parseForm(form));

test('a form is read by its fields: texts, numbers, flags, lists and structures in lists', () => {
  assert.deepEqual(
    of(
      'Name=ab&Count=3&Flag=true&Names.member.2=y&Names.member.1=x+%26&Pairs.member.1.Key=k&Pairs.member.1.Value=&Other=1',
    ),
    {
      Name: 'ab',
      Count: 3,
      Flag: true,
      Names: ['x &', 'y'],
      Pairs: [{ Key: 'k', Value: '' }],
    },
  );
  assert.deepEqual(of('Name=ab&Names='), { Name: 'ab', Names: [] });
});

test('elements go by their numbers, ten after nine', () => {
  const form = Array.from(
    { length: 12 },
    (_, index) => `Pairs.member.${12 - index}.Key=${12 - index}`,
  );
  const keys = of(`Name=ab&${form.join('&')}`).Pairs?.map(({ Key }) => Key);
  assert.deepEqual(keys, ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12']);
});

test('constraints are told together, in their order', () => {
  assert.throws(() => of('Name=A&Count=10&Names.member.1=a&Names.member.2=b&Names.member.3=c'), {
    name: 'ValidationException',
    message:
      "4 validation errors detected: Value 'A' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+; Value 'A' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 2; Value '10' at 'count' failed to satisfy constraint: Member must have value less than or equal to 9; Value '[a, b, c]' at 'names' failed to satisfy constraint: Member must have length less than or equal to 2",
  });
  assert.throws(() => of('Pairs.member.1.Value=v'), {
    message:
      "2 validation errors detected: Value null at 'name' failed to satisfy constraint: Member must not be null; Value null at 'pairs.1.member.key' failed to satisfy constraint: Member must not be null",
  });
});

test('what is no number and no flag is told', () => {
  assert.throws(() => of('Name=ab&Count=1.5'), { code: 'MalformedInput', status: 400 });
  assert.throws(() => of('Name=ab&Flag=yes'), { code: 'MalformedInput', status: 400 });
});
