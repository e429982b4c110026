import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { xmlDocument } from '../../host/query/xml.ts';
import { parseXml } from '../support/query-client.ts';

test('members are elements, lists hold members, what is undefined is left out', () => {
  assert.equal(
    xmlDocument('Answer', 'urn:x', {
      Text: 'a<b>&"c"',
      Number: 3,
      Flag: false,
      At: new Date(1_700_000_000_123),
      Missing: undefined,
      Empty: [],
      List: ['a', { B: 'c' }],
    }),
    '<Answer xmlns="urn:x"><Text>a&lt;b&gt;&amp;&quot;c&quot;</Text><Number>3</Number><Flag>false</Flag><At>2023-11-14T22:13:20Z</At><Empty></Empty><List><member>a</member><member><B>c</B></member></List></Answer>',
  );
});

test('what XML cannot hold is replaced', () => {
  assert.equal(
    xmlDocument('A', 'urn:x', 'a\u0000\u0008b\t\n\ud800c\ufffe\u{1f600}'),
    '<A xmlns="urn:x">a\ufffd\ufffdb\t\n\ufffdc\ufffd\u{1f600}</A>',
  );
});

test('every text comes back as it was', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.deepEqual(parseXml(xmlDocument('A', 'urn:x', { T: text })), { A: { T: text } });
    }),
  );
});
